#!/bin/sh
# Decides about a call for the rule in secretary.toml: declined as busy while the file ~/.meeting exists,
# left to the next rules otherwise.
#
# Goes to ~/.local/bin/secretary.sh, and has to be executable. `touch ~/.meeting` begins a meeting, and
# `rm ~/.meeting` ends it.

# The call is one line of JSON, as `onhook watch` prints it.
read -r call

if [ -e "$HOME/.meeting" ]; then
    echo "decline busy"
else
    echo "pass"
fi
