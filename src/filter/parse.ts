import { nearest } from '../policy/suggestion.ts';
import { FIELD_NAMES, type Field, type FieldKind, fieldOf } from './fields.ts';
import { FilterError } from './filter-error.ts';
import { type Operator, type Token, tokensOf } from './tokens.ts';
import { readValue, type Value } from './values.ts';

/** A filter, understood. */
export type Condition =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }
  | { readonly kind: 'given'; readonly field: Field }
  | {
      readonly kind: 'compare';
      readonly field: Field;
      readonly operator: '<' | '<=' | '>' | '>=';
      readonly value: number;
    }
  | { readonly kind: 'equal'; readonly field: Field; readonly values: readonly Value[] }
  | { readonly kind: 'match'; readonly field: Field; readonly pattern: string; readonly at: number };

/** Longer filters are refused, as are those with more comparisons or deeper parentheses: nobody reads them. */
export const MOST_CHARACTERS = 2048;
const MOST_COMPARISONS = 100;
const DEEPEST = 32;

const ORDERED: ReadonlySet<FieldKind> = new Set(['number', 'status', 'duration', 'size']);

/**
 * `or` binds less than `and`, `and` less than `not`. A field alone asks whether it is given, or true.
 * @throws FilterError
 */
export function parseFilter(text: string): Condition {
  if (text.length > MOST_CHARACTERS) {
    throw new FilterError(`A filter has ${MOST_CHARACTERS} characters at most`, MOST_CHARACTERS);
  }
  const parser = new Parser(tokensOf(text));
  return parser.all();
}

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;
  #comparisons = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  all(): Condition {
    if (this.#took('end')) throw new FilterError('The filter is empty: status>=500, say', 0);
    const condition = this.#any();
    const { kind, at } = this.#token;
    if (kind === 'end') return condition;
    if (kind === 'close') throw new FilterError('This “)” closes nothing', at);
    throw new FilterError('There is no “and” or “or” before this', at);
  }

  get #token(): Token {
    return this.#tokens[this.#next] as Token;
  }

  #any(): Condition {
    const parts = [this.#every()];
    while (this.#took('or')) parts.push(this.#every());
    return parts.length === 1 ? (parts[0] as Condition) : { kind: 'or', parts };
  }

  #every(): Condition {
    const parts = [this.#one()];
    while (this.#took('and')) parts.push(this.#one());
    return parts.length === 1 ? (parts[0] as Condition) : { kind: 'and', parts };
  }

  #one(): Condition {
    const { at } = this.#token;
    this.#depth += 1;
    if (this.#depth > DEEPEST) throw new FilterError(`Nothing is nested deeper than ${DEEPEST} times`, at);
    const condition = this.#took('not') ? ({ kind: 'not', part: this.#one() } as const) : this.#inner();
    this.#depth -= 1;
    return condition;
  }

  #inner(): Condition {
    if (!this.#took('open')) return this.#comparison();
    const condition = this.#any();
    if (!this.#took('close')) throw new FilterError('A “)” is missing', this.#token.at);
    return condition;
  }

  #comparison(): Condition {
    const token = this.#token;
    if (token.kind !== 'word' || token.quoted) throw new FilterError('A field is missing: status, path, …', token.at);
    this.#next += 1;
    this.#comparisons += 1;
    if (this.#comparisons > MOST_COMPARISONS) {
      throw new FilterError(`A filter has ${MOST_COMPARISONS} comparisons at most`, token.at);
    }
    const field = fieldOf(token.text);
    if (field === null) throw unknownField(token.text, token.at);
    if (this.#took('in')) return { kind: 'equal', field, values: this.#list(field) };
    const operator = this.#token;
    if (operator.kind !== 'operator') return { kind: 'given', field };
    this.#next += 1;
    return this.#compared(field, operator.operator, operator.at);
  }

  #compared(field: Field, operator: Operator, at: number): Condition {
    if (operator === '~' || operator === '!~') {
      if (field.kind !== 'text' && field.kind !== 'texts') {
        throw new FilterError(`“${field.name}” is no text that “${operator}” could look into`, at);
      }
      const { text, at: where } = this.#word('a regular expression');
      const match = { kind: 'match', field, pattern: text, at: where } as const;
      return operator === '~' ? match : { kind: 'not', part: match };
    }
    if (operator === '=' || operator === '!=') {
      const equal = { kind: 'equal', field, values: [this.#value(field)] } as const;
      return operator === '=' ? equal : { kind: 'not', part: equal };
    }
    if (!ORDERED.has(field.kind)) throw new FilterError(`“${field.name}” has no order: use = or ~`, at);
    const word = this.#word('a number');
    const value = readValue(word.text, field, word.at);
    if (typeof value !== 'number') throw new FilterError(`“${word.text}” is no single number`, word.at);
    return { kind: 'compare', field, operator, value };
  }

  #list(field: Field): readonly Value[] {
    if (!this.#took('open')) throw new FilterError('“in” needs a list: in (500, 502)', this.#token.at);
    const values = [this.#value(field)];
    while (this.#took('comma')) values.push(this.#value(field));
    if (!this.#took('close')) throw new FilterError('The list needs a “,” or a “)” here', this.#token.at);
    return values;
  }

  #value(field: Field): Value {
    const { text, at, quoted } = this.#word('a value');
    return !quoted && text === 'null' ? null : readValue(text, field, at);
  }

  #word(what: string): Token & { readonly kind: 'word' } {
    const token = this.#token;
    if (token.kind !== 'word') throw new FilterError(`There is ${what} missing`, token.at);
    this.#next += 1;
    return token;
  }

  #took(kind: Token['kind']): boolean {
    if (this.#token.kind !== kind) return false;
    this.#next += 1;
    return true;
  }
}

function unknownField(name: string, at: number): FilterError {
  const near = nearest(name, FIELD_NAMES);
  const help = near === null ? `there are ${FIELD_NAMES.slice(0, -10).join(', ')}` : `did you mean “${near}”?`;
  return new FilterError(`“${name}” is no field: ${help}`, at);
}
