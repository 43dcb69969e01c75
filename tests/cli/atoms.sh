# Columns with point masses: how they are found, fitted, drawn, filled and compared.
awk 'BEGIN { srand(4); OFS = ","; print "rain", "wind", "hours", "sky"
    for (i = 0; i < 240; i++) {
        u = rand(); wet = u > 0.55
        sky = wet ? (rand() < 0.8 ? "grey" : "blue") : (rand() < 0.8 ? "blue" : "grey")
        print wet ? sprintf("%.1f", 0.1 + 9 * rand() * rand()) : 0, \
              sprintf("%.2f", 10 + 3 * rand() + 2 * wet), \
              rand() < 0.5 ? 40 : 20 + int(40 * rand()), sky } }' >rain.csv
# What is drawn: no rain below 0, the atoms in their shares, the kinds of the table.
look() {
    python3 - "$@" <<'PYTHON'
import csv, sys
share = [float(r["rain"]) == 0 for r in csv.DictReader(open("rain.csv"))]
share = sum(share) / len(share)
for name in sys.argv[1:]:
    rows = list(csv.DictReader(open(name)))
    rain = [float(r["rain"]) for r in rows]
    hours = [float(r["hours"]) for r in rows]
    dry = [r for r in rows if float(r["rain"]) == 0]
    print(name, min(rain) >= 0, all(x == 0 or x >= 0.1 for x in rain),
          abs(len(dry) / len(rows) - share) < 0.06,
          all(x % 1 == 0 for x in hours), abs(hours.count(40) / len(rows) - 0.5) < 0.1,
          sum(r["sky"] == "blue" for r in dry) > 0.55 * len(dry))
PYTHON
}
kinds() { scorefield info "$1" | awk '/^  (rain|wind|hours|sky)/ { print $1, $2 }
    /atom/ { sub(/.*; /, ""); sub(/%.*/, ""); print "  ", $1, $2 }'; }
echo "-- found, with the reason"
kinds rain.csv
echo "-- auto has no choice, and says why"
try fit rain.csv --time-limit 5 -o a.safetensors 2>&1 | grep -v '^seconds'
scorefield sample a.safetensors -n 1000 -o a.csv
look a.csv
kinds a.csv
echo "-- given an atom, what is above it, and an interval with it"
try sample a.safetensors -n 200 --given rain=0 -o g.csv
cut -d, -f1 g.csv | sort -u
try sample a.safetensors -n 200 --given 'rain>0' -o g.csv
cut -d, -f1 g.csv | grep -c '^0$'
try sample a.safetensors -n 200 --given 'rain in 0:1' -o g.csv
scorefield eval a.safetensors rain.csv -q -o e.csv && grep -c '^-*[0-9]' e.csv
printf 'rain,wind,hours,sky\n-1,11,40,blue\n0,11,40,blue\n' >two.csv
try eval a.safetensors two.csv -q -o e.csv
cut -c 1-7 e.csv
echo "-- local distributions, chords"
scorefield fit rain.csv --model empirical --bandwidth local --target sky -q -o l.safetensors
scorefield sample l.safetensors -n 960 -o l.csv
scorefield sample l.safetensors -n 960 --method chords -o c.csv
look l.csv c.csv
echo "-- filled"
awk -F, -v OFS=, 'NR > 1 && NR % 5 == 0 { $1 = "" } NR > 1 && NR % 7 == 0 { $3 = "" } { print }' rain.csv >holes.csv
scorefield impute holes.csv --with draw --spread s.csv -q -o f.csv
look f.csv
scorefield impute a.safetensors holes.csv --with draw -q -o f.csv
look f.csv
awk -F, '$2 == "rain" { n++; zero += $7 == 0 && $8 == 0; below += $7 < 0 } END { print n, zero, below + 0 }' s.csv
echo "-- compared by which atom a cell is"
scorefield compare rain.csv a.csv --json 2>/dev/null | python3 -c '
import json, sys
for c in json.load(sys.stdin)["columns"]:
    v = c["total_variation"]
    print(c["column"], v if v is None else v < 0.1)'
echo "-- told otherwise"
try fit rain.csv --model empirical --kind 'rain=real:atoms=none' -o n.safetensors 2>&1 | grep '^rain'
try fit rain.csv --model empirical --kind 'rain=positive:atoms=0; hours=integer:atoms=none' --bandwidth 0.3 -o n.safetensors 2>&1 | grep -E '^(rain|hours)'
try fit rain.csv --kind 'rain=positive:atoms=none' -o n.safetensors
try fit rain.csv --kind 'rain=positive:atoms=0:77' -o n.safetensors
try fit rain.csv --kind 'rain=real:atoms=x' -o n.safetensors
try impute holes.csv --kind 'rain=positive:atoms=none' -o n.csv
try impute holes.csv --kind 'rain=positive' -q -o n.csv
echo "-- what has no place for them"
try fit rain.csv --model empirical --bandwidth adaptive --columns rain,wind -q -o n.safetensors
try fit rain.csv --model mixture --columns rain,wind -o n.safetensors 2>&1 | grep 'has an atom'
try sample a.safetensors -n 3 --method flow -o n.csv
try eval a.safetensors rain.csv --want score -o n.csv
