/**
 * The declarative form of the public suite (http-cache-tests, https://cache-tests.fyi). A field's value is its text; a whole number in
 * a field of dates means seconds from now. With `false` as third member it is sent, and not looked for in what the client gets.
 */
export type CaseField = readonly [name: string, value: string | number, checked?: boolean];

/** A field that must be there; one with this value; or one that compares so with another field (`=`) or a number (`>`). */
export type ExpectedField =
  | string
  | readonly [name: string, value: string | number]
  | readonly [name: string, operator: '=' | '>', operand: string | number];

export type InterimResponse = readonly [status: number, headers?: readonly (readonly [name: string, value: string])[]];

/** One request of a case, what the origin says to it, and what has to come of it. */
export interface CaseRequest {
  readonly request_method?: string;
  readonly request_headers?: readonly CaseField[];
  readonly request_body?: string;
  readonly query_arg?: string;
  readonly filename?: string;
  /** Dates of `If-Modified-Since` are counted from what the origin's clock said in the answer before. */
  readonly magic_ims?: boolean;
  /** `Location` and `Content-Location` are relative to the case's URL. */
  readonly magic_locations?: boolean;
  /** Fields whose dates take the form of RFC 850. */
  readonly rfc850date?: readonly string[];
  readonly response_status?: readonly [status: number, phrase: string];
  readonly response_headers?: readonly CaseField[];
  readonly response_body?: string | null;
  /** Seconds before the origin answers. */
  readonly response_pause?: number;
  readonly interim_responses?: readonly InterimResponse[];
  /** The origin cuts the connection instead of answering. */
  readonly disconnect?: boolean;
  /** Three seconds pass after this request. */
  readonly pause_after?: boolean;
  /** What fails here says nothing about the case: its premise does not hold. */
  readonly setup?: boolean;
  /** The same for single expectations. */
  readonly setup_tests?: readonly string[];
  readonly expected_type?: 'cached' | 'not_cached' | 'etag_validated' | 'lm_validated';
  readonly expected_method?: string;
  readonly expected_status?: number | null;
  readonly expected_request_headers?: readonly ExpectedField[];
  readonly expected_request_headers_missing?: readonly ExpectedField[];
  readonly expected_response_headers?: readonly ExpectedField[];
  readonly expected_response_headers_missing?: readonly ExpectedField[];
  readonly expected_response_text?: string | null;
  readonly expected_interim_responses?: readonly InterimResponse[];
  readonly check_body?: boolean;
}

/** `required`: RFC 9111 says MUST. `optimal`: a good cache does it. `check`: a question about behaviour, without a right answer. */
export type CaseKind = 'required' | 'optimal' | 'check';

export interface SuiteCase {
  readonly id: string;
  readonly name: string;
  /** `required` unless given. */
  readonly kind?: CaseKind;
  /** About the cache of a browser. */
  readonly browser_only?: boolean;
  readonly depends_on?: readonly string[];
  readonly requests: readonly CaseRequest[];
}

export interface Suite {
  readonly id: string;
  readonly tests: readonly SuiteCase[];
}
