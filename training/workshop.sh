#!/usr/bin/env bash
# Runs the model workshop: workshop.sh COMMAND … (README.md). Needs native ffmpeg, and what python.sh needs.
exec "$(dirname "${BASH_SOURCE[0]}")/python.sh" -m workshop "$@"
