# What is typed wrongly is refused with exit status 2 and a way out.
try ft
try frobnicate
try fit
try fit a.csv b.csv -o m.safetensors
try fit a.csv
try fit a.csv -o
try fit a.csv -o m.safetensors --hiden 4x1
try fit a.csv -o m.safetensors -x
try fit a.csv -o m.safetensors --energy=yes
try fit a.csv -o m.safetensors --hidden 4
try fit a.csv -o m.safetensors --hidden 4x0
try fit a.csv -o m.safetensors --lr fast
try fit a.csv -o m.safetensors --lr -1
try fit a.csv -o m.safetensors --lr 1e999
try fit a.csv -o m.safetensors --steps 2.5
try fit a.csv -o m.safetensors --steps 0
try fit a.csv -o m.safetensors --validation 0.95
try fit a.csv -o m.safetensors --seed 1.5
try fit a.csv -o m.safetensors --seed 18446744073709551616
try fit a.csv -o m.safetensors -j 0
try fit a.csv -o m.safetensors -j 257
try fit a.csv -o m.safetensors --model tree
try fit a.csv -o m.safetensors --model decoder
try fit a.csv -o m.safetensors --density '-x^2'
try fit a.csv -o m.safetensors --model gaussian --lr 0.1
try fit a.csv -o m.safetensors --objective sliced
try fit a.csv -o m.safetensors --validation 0
try fit a.csv -o m.safetensors --noise-level 0.1
try fit a.csv -o m.safetensors --steps 10 --epochs 2
try fit a.csv -o m.safetensors --checkpoint-every 5
try fit a.csv -o m.safetensors --sigma-min 5 --sigma-max 2
try fit a.csv -o - --json
try fit a.csv -o model.bin
try sample m.safetensors -o x.csv
try sample m.safetensors -n 0 -o x.csv
try sample m.safetensors -n many -o x.csv
try sample m.safetensors -n 5 -o x.txt
try sample m.safetensors -n 5 -o - --json
try sample m.safetensors -n 5 -o x.csv --trace t.csv
try sample m.safetensors -n 5 -o x.csv --churn 3
try sample m.safetensors -n 5 -o x.csv --corrections 3
try sample m.safetensors -n 5 -o x.csv --step 0.1
try sample m.safetensors -n 5 -o x.csv --given a=1
try eval m.safetensors p.csv -o e.csv --want logpdf,scor
try eval m.safetensors p.csv -o e.csv --want everything
try eval m.safetensors p.csv -o e.csv --want score,score
try eval m.safetensors p.csv -o e.csv --want ''
try eval m.safetensors p.csv -o e.csv --time 1.5
try eval m.safetensors -o e.csv
try plot a.csv -o a.bmp
try plot a.csv -o a.gif
try plot -o a.png
try plot a.csv -o a.png --range 2:1
try plot a.csv -o a.png --range 0:1,2
try plot a.csv -o a.png --range 0:1,2:3,4:5
try plot a.csv -o a.png --range 0:nan
try compare a.csv
try compare a.csv b.csv c.csv
try info notes.txt
try info
try check now
echo "-- what looks like an option may be a file"
cp "$data/faithful.csv" ./-q.csv
try fit --model gaussian -o m.safetensors -- -q.csv
ls
