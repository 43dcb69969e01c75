# Networks: reports, curves, epochs, and the choice of auto.
quick="--hidden 8x1 --steps 40 --batch 32"
try fit "$data/faithful.csv" --model network $quick -o n.safetensors --curve c.csv | numbers
head -1 c.csv
[ "$(wc -l <c.csv)" -gt 10 ] && echo "a curve"
try fit "$data/faithful.csv" $quick -o a.safetensors | numbers
scorefield fit "$data/faithful.csv" $quick -q -o a.safetensors --json | python3 -c '
import json, sys
report = json.load(sys.stdin)
print(sorted(report))
print([sorted(k) for k in report["candidates"]])'
echo "-- too few rows for a network"
head -40 "$data/faithful.csv" >few.csv
try fit few.csv -q -o few.safetensors --json | numbers
try fit few.csv --validation 0.01 -q -o few.safetensors
echo "-- epochs: 245 training rows in batches of 32"
scorefield fit "$data/faithful.csv" --model network --hidden 4x1 --batch 32 --epochs 2 -q \
    -o e.safetensors --json | grep -o '"planned_steps":[0-9]*'
echo "-- a time limit"
scorefield fit "$data/faithful.csv" --model network --hidden 4x1 --time-limit 0.2 --steps 100000000 -q \
    -o e.safetensors --json | grep -o '"stopped_by":"[a-z ]*"'
echo "-- every objective gives a model that samples"
for objective in dsm flow implicit sliced; do
    method=flow
    case $objective in implicit | sliced) method=langevin ;; esac
    scorefield fit "$data/faithful.csv" --model network --objective $objective --energy $quick -q -o o.safetensors &&
        scorefield sample o.safetensors --method $method --steps 10 -n 3 -o - | wc -l
done
echo "-- the same bits for any number of threads"
weights() { tail -c +$(($(od -An -tu8 -N8 "$1") + 9)) "$1"; }
scorefield fit "$data/faithful.csv" --model network $quick -q -j 1 -o one.safetensors
scorefield fit "$data/faithful.csv" --model network $quick -q -j 3 -o three.safetensors
cmp <(weights one.safetensors) <(weights three.safetensors) && echo same
echo "-- candidates are judged on rows that they have not seen"
scorefield fit few.csv -q --model gaussian -o g.safetensors --json >all.json
scorefield fit few.csv -q --validation 0.9 -o g.safetensors --json >few.json
python3 - <<'PYTHON'
import json
own = json.load(open("all.json"))["log_likelihood"]
unseen = json.load(open("few.json"))["held_out_log_likelihood"]
print("four rows know less than 39:", unseen < own - 0.2)
PYTHON
echo "-- a time limit is one of all candidates: what does not end in time is left out"
awk 'BEGIN { srand(2); OFS = ","; print "a", "b", "c"; for (i = 0; i < 30000; i++) {
    s = (i % 7) * 1.7; print s + rand(), s * s + rand(), rand() * (s + 1) } }' >many.csv
scorefield fit many.csv --time-limit 0.05 --hidden 4x1 -o many.safetensors 2>&1 | grep 'too little'
scorefield info many.safetensors --json | python3 -c '
import json, sys
print(json.load(sys.stdin)["family"] in ("gaussian", "network"))'
