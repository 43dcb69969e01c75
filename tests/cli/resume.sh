# A run that was killed goes on from its checkpoint and ends with the same bits.
weights() { tail -c +$(($(od -An -tu8 -N8 "$1") + 9)) "$1"; }
options="--model network --hidden 16x2 --steps 6000 --batch 32 --seed 3"
scorefield fit "$data/faithful.csv" $options -q -o whole.safetensors
"$program" fit "$data/faithful.csv" $options -q -o killed.safetensors \
    --checkpoint run.safetensors --checkpoint-every 1e-9 &
while [ ! -e run.safetensors ]; do sleep 0.01; done
# The shell tells that it died when it notices, which may be before it waits.
{ kill -KILL $!; wait $!; } 2>/dev/null
[ -e killed.safetensors ] && echo "it ended before it was killed"
scorefield fit "$data/faithful.csv" --model network --resume run.safetensors -o resumed.safetensors 2>&1 |
    grep 'goes on' | numbers
cmp <(weights whole.safetensors) <(weights resumed.safetensors) && echo same
try info run.safetensors | sed '/^command/d'
echo "-- what must stay, stays"
fit() { try fit "$@" -q --model network --resume run.safetensors -o x.safetensors; }
fit "$data/faithful.csv" --lr 0.01
fit "$data/faithful.csv" --hidden 16x3
fit "$data/faithful.csv" --seed 4
fit "$data/faithful.csv" --epochs 4
fit "$data/iris.csv"
fit "$data/iris.csv" --columns sepal_length_cm
head -200 "$data/faithful.csv" >less.csv
fit less.csv
sed 's/^3.6,79/3.6,78/' "$data/faithful.csv" >other.csv
fit other.csv
try fit "$data/faithful.csv" -q --model network --resume whole.safetensors -o x.safetensors
ls | grep -v '^\.'
