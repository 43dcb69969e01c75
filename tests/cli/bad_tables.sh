# A table that can not be fitted: what, where, and what to do.
fit() { try fit --model gaussian -q "$@" -o m.safetensors; }
echo old >m.safetensors
table() { printf "$2" >"$1"; }
table empty.csv ''
fit empty.csv
table header.csv 'a,b\n'
fit header.csv
table ragged.csv 'a,b\n1,2\n3\n4,5\n'
fit ragged.csv
table one_row.csv 'a,b\n1,2\n'
fit one_row.csv
try fit one_row.csv -o m.safetensors -q
table two_rows.csv 'a,b\n1,2\n3,5\n'
fit two_rows.csv
table constant.csv 'a,b\n1,7\n2,7\n3,7\n4,7\n'
fit constant.csv --columns a,b
try fit constant.csv --columns b -o m.safetensors -q
table constants.csv 'a,b\n1,7\n1,7\n'
fit constants.csv
table all_missing.csv 'a,b\n1,\n2,NA\n3,nan\n'
try fit --model gaussian all_missing.csv --columns b -o m.safetensors
table nothing.csv 'a\nNA\nnan\n'
fit nothing.csv
table no_complete.csv 'a,b\n1,\n,2\n3,\n,5\n'
try fit no_complete.csv -o m.safetensors -q
table infinite.csv 'a\n1\n2\ninf\n'
fit infinite.csv
table text.csv 'a,b\n1,2\n2,x\n'
fit text.csv
table words.csv 'a\nx\ny\n'
fit words.csv
try fit --model gaussian "$data/iris.csv" --columns species -o m.safetensors -q
try fit --model gaussian "$data/iris.csv" --columns petal_lenght_cm -o m.safetensors -q
try fit --model gaussian "$data/iris.csv" --columns zebra -o m.safetensors -q
try fit --model gaussian "$data/iris.csv" --columns petal_length_cm,petal_length_cm -o m.safetensors -q
try fit --model gaussian "$data/iris.csv" --columns 'petal_length_cm,' -o m.safetensors -q
table wide.csv 'a\n1e300\n2e300\n'
fit wide.csv
table narrow.csv 'a\n1e-300\n2e-300\n'
fit narrow.csv
table twice.csv 'a,b,c\n1,2,0\n2,4,1\n3,6,1\n4,8,0\n5,10,3\n'
fit twice.csv
fit nowhere.csv
fit .
fit table.xlsx
table latin.csv 'caf\351\n1\n2\n'
fit latin.csv
table quote.csv 'a,b\n"1,2\n3,4\n'
fit quote.csv
table blank.csv 'a\n1\n\n2\n'
fit blank.csv
for file in "$corpus"/npy/*; do
    name=$(basename "$file")
    cp "$file" "$name" 2>/dev/null
    case $name in
    *.npy) try fit --model gaussian -q "$name" -o n.safetensors ;;
    esac
done
echo "-- and the old file is whole:"
cat m.safetensors
