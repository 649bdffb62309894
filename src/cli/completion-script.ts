import type { Shell } from './commands/completion.ts';

/**
 * What makes a shell ask `headgate __complete` at a tab. The scripts hold no command and no option, so that they fit every
 * version: all of it comes from the registry of the program that is there.
 */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}

// The word is taken from the line, since bash splits it at every : and = (COMP_WORDBREAKS), and then replaces only what stands behind
// the last one. Works from bash 3.2 on, which macOS has.
const BASH = `# bash completion for headgate
_headgate() {
  local line="\${COMP_LINE:0:COMP_POINT}" candidate file kind word prefix
  local -a words
  read -r -a words <<< "$line"
  case "$line" in *[[:space:]]) words+=("") ;; esac
  word="\${words[\${#words[@]} - 1]}"
  prefix="\${word%"\${word##*[:=]}"}"
  COMPREPLY=()
  while IFS=$'\\t' read -r candidate _; do
    case "$candidate" in
      :path | :directory)
        compopt -o filenames 2> /dev/null
        [ "$candidate" = :path ] && kind=-f || kind=-d
        while IFS= read -r file; do
          COMPREPLY+=("$file")
        done < <(compgen "$kind" -- "\${word#--*=}" | sort)
        ;;
      *) COMPREPLY+=("\${candidate#"$prefix"}") ;;
    esac
  done < <("\${words[0]}" __complete -- "\${words[@]:1}" 2> /dev/null)
}
complete -F _headgate headgate
`;

const ZSH = `#compdef headgate
# zsh completion for headgate
_headgate() {
  local -a candidates
  local line
  while IFS= read -r line; do
    case "$line" in
      :path) compset -P '--*='; _files; return ;;
      :directory) compset -P '--*='; _files -/; return ;;
      *) candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done < <("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2> /dev/null)
  (( \${#candidates} )) && _describe headgate candidates
}
if [ "$funcstack[1]" = "_headgate" ]; then _headgate "$@"; else compdef _headgate headgate; fi
`;

const FISH = `# fish completion for headgate
function __headgate_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in ($words[1] __complete -- $words[2..-1] 2> /dev/null)
        switch $line
            case :path
                __fish_complete_path (string replace -r -- '^--[^=]*=' '' (commandline -ct))
            case :directory
                __fish_complete_directories (string replace -r -- '^--[^=]*=' '' (commandline -ct))
            case '*'
                echo $line
        end
    end
end
complete -c headgate -f -a '(__headgate_complete)'
`;

const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
