# Tables in the forms that they come in, and what is said of them.
table() { printf "$2" >"$1"; }
echo "-- separators, decimal commas, comments, words for missing cells"
table semicolons.csv 'x;y\n1,5;2\n-0,25;3\n2,5;NULL\n'
try info semicolons.csv
try info semicolons.csv --decimal ,
table blanks.txt '# measured by hand\n  x   y\n  1   2\n  3   ?\n'
try info blanks.txt
try info blanks.txt --na 3
table percent.dat 'x|y\n%% no\n1|2\n3|4\n'
try info percent.dat --sep '|' --comment %
echo "-- no header line, row names, keys, constants, dates"
seq -f '%g,' 1 25 | paste -d '' - <(seq 1 3 75) >running.data
try info running.data
try fit running.data --model empirical -o m.safetensors
table day.csv 'day,x,same\n2024-05-01,1,7\n2024-05-02,4,7\n2024-05-04,2,7\n'
try fit day.csv --model gaussian -o m.safetensors
try sample m.safetensors -n 3 --seed 2 -o -
table names.csv ',x\nfirst,1\nsecond,2\n'
try info names.csv
echo "-- kinds of all cells"
table late.csv 'x,y\n1,2\n3,slow\n5,6\n'
try info late.csv
try info late.csv --na slow
try info late.csv --kind 'y=category'
try info late.csv --kind 'y=colour'
echo "-- compressed, ARFF, pipes and devices"
gzip -nc "$data/faithful.csv" >f.csv.gz
try info f.csv.gz
head -c 100 f.csv.gz >cut.csv.gz
try info cut.csv.gz
table t.arff '@relation r\n@attribute x real\n@attribute k {a,b}\n@data\n1,a\n?,b\n'
try info t.arff
"$program" info <(cat "$data/faithful.csv") | sed 's/^file .*/file/'
"$program" fit <(cat t.arff) --model gaussian -q -o m.safetensors
echo "[exit $?]"
"$program" fit "$data/faithful.csv" --model gaussian -q -o m.safetensors
try sample m.safetensors -n 3 -o /dev/null
try info a.npz
echo "-- names that would break the terminal"
table '"lines.csv' '"a\nb",k\n1,\033[31mred\n2,\033[31mred\n'
try info '"lines.csv'
