#!/usr/bin/env bash
# Refit the shipped model from the public texts in $1: dev figures without the dev documents, then
# on everything, which must give the committed model.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin/textclass
gold=corpus/public/dev_gold.jsonl
work=out/refit
mkdir -p "$work"

$bin corpus fetch corpus --from "$1"
# Probabilities teach types better than principles: a larger weight for them.
$bin train corpus --soft-weight type=0.5 -o "$work/without-dev" --without "$gold"
$bin train corpus --soft-weight type=0.5 -o "$work/default"
$bin evaluate "$gold" --model "$work/without-dev" --by source --by length \
    --train corpus --output "$work/dev.json" --report "$work/dev.html" --card "$work/default"
.venv/bin/python .ci/same_model.py "$work/default" models/default "$gold"
