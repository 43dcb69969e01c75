# Tables at the edge that are fitted.
fit() { try fit --model gaussian "$@" -o m.safetensors; }
table() { printf "$2" >"$1"; }
echo "-- one column"
table one_column.csv 'a\n1\n2\n4\n'
fit one_column.csv
echo "-- missing cells, an empty column, a column of text, quoted names"
table holes.csv '"a, b",note,"say ""hi""",empty\n1,x,2,\n2,y,NA,\n3,x,1,\n4,y,5,nan\n5,,9,\n'
fit holes.csv
fit holes.csv --columns '"say ""hi""","a, b"'
scorefield info m.safetensors --json | python3 -c '
import json, sys
info = json.load(sys.stdin)
print([c["column"] for c in info["columns"]], info["left_out"])'
echo "-- huge and tiny numbers"
table wide.csv 'a,b\n1e130,1e-130\n2e130,3e-130\n3e130,2e-130\n4e130,9e-130\n'
fit wide.csv
echo "-- from standard input, to standard output"
cat one_column.csv | scorefield fit - --model gaussian -q -o - | cat >piped.safetensors
scorefield sample piped.safetensors -n 2 -o - | wc -l
