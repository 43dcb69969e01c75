# What is written takes nothing away, and rows are those of the user's file.
table() { printf "$2" >"$1"; }
cp "$data/faithful.csv" f.csv
"$program" fit f.csv --model gaussian -q -o m.safetensors
echo "-- an output that is read, or written twice"
try eval m.safetensors f.csv -o f.csv
ln f.csv same.csv
ln -s f.csv link.csv
try eval m.safetensors f.csv -o same.csv
try eval m.safetensors f.csv -o ./link.csv
try denoise m.safetensors f.csv --sigma 1 -o f.csv
try fit f.csv --model network --curve f.csv -o n.safetensors
try fit f.csv --model network --checkpoint n.safetensors -o n.safetensors
try fit f.csv --model gaussian --curve x.csv -o f.csv
try fit f.csv --model network --resume n.safetensors -o n.safetensors
try sample m.safetensors -n 3 --trace s.npy -o s.npy
try sample m.safetensors -n 3 -o m.safetensors
try plot f.csv -o f.csv
cmp f.csv "$data/faithful.csv"
echo "-- outputs that cannot be, before any work"
long=$(printf 'x%.0s' $(seq 300))
"$program" fit f.csv --model network -o "$long.safetensors" 2>&1 | sed 's/x\{300\}/LONG/'
try fit f.csv --model network --curve c.txt -o n.safetensors
try fit f.csv --model network --checkpoint /nowhere/k -o n.safetensors
echo "-- a link that leads nowhere yet is followed"
mkdir elsewhere
ln -s elsewhere/new.csv to_new.csv
try sample m.safetensors -n 2 -o to_new.csv
ls elsewhere
readlink to_new.csv
echo "-- rows and lines of the user's file, after rows were dropped"
table holes.csv 'x,t\n1,"p\nq"\n,r\n3,r\n4,\n5,q\n6,r\n'
"$program" fit holes.csv --columns x --model empirical --bandwidth 0.01 -q -o e.safetensors
printf 'x\n3\nNA\n6\n' >points.csv
try eval e.safetensors points.csv --want posterior -q -o -
try denoise e.safetensors points.csv --time 0.01 -q -o -
table negative.csv 'x,w\n1,1\n,1\n3,-2\n4,1\n'
try fit negative.csv --model empirical --weights w -q -o e.safetensors
printf 'x\n1\nNA\n-3\n4\n' >gamma.csv
try fit gamma.csv --model empirical --kernel gamma -q -o e.safetensors
echo "-- a checkpoint that cannot be kept does not lose the model"
"$program" fit f.csv --model network --hidden 4x1 --steps 3 -q --checkpoint /dev/full -o n.safetensors
echo "[exit $?]"
"$program" info n.safetensors | head -3
