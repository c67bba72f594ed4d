#compdef onhook
# onhook's completions for zsh. In ~/.zshrc, after compinit: source <(onhook completions zsh)
_onhook() {
    local -a found
    found=("${(@f)$("${words[1]}" __complete described -- "${(@)words[1,CURRENT]}" 2>/dev/null)}")
    # Where nothing fits, files are completed.
    if [[ -n "${found[1]}" ]]; then
        _describe -V onhook found
    else
        _files
    fi
}
if [[ "${funcstack[1]}" = _onhook ]]; then
    _onhook "$@"
else
    compdef _onhook onhook
fi
