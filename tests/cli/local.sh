# Local normal distributions: of rows, of classes, along chords.
try fit "$data/penguins.csv" --model empirical --bandwidth local --target species -o l.safetensors
scorefield sample l.safetensors -n 333 -o l.csv
scorefield sample l.safetensors -n 333 --method chords -o c.csv
echo "-- classes in their shares, levels that go together"
for f in l.csv c.csv; do cut -d, -f1 $f | tail -n +2 | sort | uniq -c | awk '{ print $2, $1 }'; done
cut -d, -f1,2 l.csv | tail -n +2 | sort -u
echo "-- cells like those of the table"
python3 - <<'PYTHON'
import csv
for name in ("l.csv", "c.csv"):
    rows = list(csv.DictReader(open(name)))
    print(all(float(r["body_mass_g"]) % 1 == 0 and len(r["bill_length_mm"].split(".")[-1]) <= 2
              and 2006 <= int(r["year"]) <= 2010 and r["sex"] in ("male", "female") for r in rows))
PYTHON
echo "-- the first rows are those of a longer sample"
scorefield sample l.safetensors -n 5 -o five.csv
head -6 l.csv | cmp - five.csv && echo same
scorefield info l.safetensors | sed -n '/^family/p;/^hyperparameters/,/forget/p'
scorefield eval l.safetensors "$data/penguins.csv" -o - -q 2>/dev/null | tail -n +2 | grep -c '^-*[0-9]'
echo "-- as few neighbours as the ratio allows"
try fit "$data/penguins.csv" --privacy-ratio 0.9 --target species -o r.safetensors
scorefield info r.safetensors | grep neighbours
echo "-- what is refused"
try fit "$data/penguins.csv" --privacy-ratio 3 --target species -o x.safetensors -q
try fit "$data/penguins.csv" --privacy-ratio 0.9 --neighbours 5 -o x.safetensors
try fit "$data/penguins.csv" --privacy-ratio 0.9 --model gaussian -o x.safetensors
try fit "$data/penguins.csv" --privacy-ratio 0.9 --bandwidth loo -o x.safetensors
try fit "$data/penguins.csv" --model empirical --target species -o x.safetensors
try fit "$data/penguins.csv" --model empirical --bandwidth local --kernel gaussian -o x.safetensors
try fit "$data/penguins.csv" --model empirical --bandwidth local --target specie -o x.safetensors -q
try fit "$data/iris.csv" --model empirical --bandwidth local --target petal_width_cm -o x.safetensors -q
try sample l.safetensors -n 3 --method flow -o x.csv
try sample l.safetensors -n 3 --method chords --steps 5 -o x.csv
scorefield fit "$data/iris.csv" --model empirical -q -o e.safetensors
try sample e.safetensors -n 3 --method chords -o x.csv
try eval l.safetensors l.csv --want score -o x.csv
