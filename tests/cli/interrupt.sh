# Ctrl-C ends a fit with the best model so far, and a sample with nothing.
# A shell starts background commands with SIGINT ignored; env puts it back.
start() { env --default-signal=INT "$program" "$@" & }
start fit "$data/faithful.csv" --model network --hidden 8x1 --steps 100000000 -q \
    -o m.safetensors --checkpoint run.safetensors --checkpoint-every 0.001 2>said
while [ ! -e run.safetensors ]; do sleep 0.01; done
kill -INT $!
wait $!
echo "[exit $?]"
cat said
scorefield sample m.safetensors -n 2 -o - | wc -l
scorefield info m.safetensors --json | grep -o '"stopped_by":"[a-z ]*"'

start sample m.safetensors -n 100000 --method annealed --steps 1000000 -o s.csv 2>said
until (( 0x$(awk '/SigCgt/ { print $2 }' /proc/$!/status) & 2 )); do sleep 0.01; done
kill -INT $!
wait $!
echo "[exit $?]"
cat said
ls
