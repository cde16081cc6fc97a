namespace Holdfast.Cli.Help;

/// <summary>Scripts that let a shell ask us what may come next (the parser's <c>[suggest]</c> directive).</summary>
internal static class CompletionScript
{
    private const string Bash = """
        # bash completion for holdfast
        _holdfast() {
            local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
            COMPREPLY=()
            case $previous in
                -r|--vault|-t|--to|-o|--output|--password-file|--new-password-file|--exclude-file|--files-from|--files-from0)
                    return ;;
            esac
            local IFS=$'\n'
            COMPREPLY=($(compgen -W "$(holdfast "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "$word"))
        }
        complete -o bashdefault -o default -F _holdfast holdfast

        """;

    private const string Zsh = """
        #compdef holdfast
        # zsh completion for holdfast
        _holdfast() {
            local line="${words[*]}"
            local -a found
            case ${words[CURRENT-1]} in
                -r|--vault|-t|--to|-o|--output|--password-file|--new-password-file|--exclude-file|--files-from|--files-from0)
                    _files
                    return ;;
            esac
            found=(${(f)"$(holdfast "[suggest:${#line}]" "$line" 2>/dev/null)"})
            compadd -a found || _files
        }
        if [[ ${funcstack[1]} = _holdfast ]]; then
            _holdfast "$@"
        else
            compdef _holdfast holdfast
        fi

        """;

    private const string Fish = """
        # fish completion for holdfast
        function __holdfast_complete
            set -l line (commandline -cp)
            holdfast "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete -c holdfast -a '(__holdfast_complete)'

        """;

    /// <summary>The script for a shell; null for one that we do not know.</summary>
    public static string? For(string shell) => shell switch
    {
        "bash" => Bash,
        "zsh" => Zsh,
        "fish" => Fish,
        _ => null,
    };
}
