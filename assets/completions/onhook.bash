# onhook's completions for bash. In ~/.bashrc: source <(onhook completions bash)
_onhook() {
    local IFS=$'\n'
    COMPREPLY=($("$1" __complete values -- "${COMP_WORDS[@]:0:COMP_CWORD+1}" 2>/dev/null))
}
# Where nothing fits, files are completed.
complete -o default -F _onhook onhook
