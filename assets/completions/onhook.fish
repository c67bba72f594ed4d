# onhook's completions for fish. In ~/.config/fish/config.fish: onhook completions fish | source
function __onhook_complete
    set -l found (onhook __complete tabbed -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token) 2>/dev/null)
    # Where nothing fits, files are completed.
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline --current-token)
    end
end
complete -c onhook -f -a '(__onhook_complete)'
