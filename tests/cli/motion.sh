# Sources and sides that move, methods, curves with probes, and runs that are taken up again.
quiet() {
    try "$@" | sed -E 's/^(seconds|drift of energy|energy at|step ) .*/\1 #/'
}
cat >mast.ini <<'END'
# A mast that swings at the end of a string, and a pulse under way.
[grid]
x = 0:1:65 pin 0, pin 0.1*sin(10*t)
y = 0:0.5:33 natural
[field]
phi = exp(-100*((x - 0.5)^2 + (y - 0.25)^2))
[source]
s = sin(20*t)*delta(x - 0.25, y - 0.25)
[action]
lagrangian = 0.5*(dt(phi)^2 - grad2(phi)) - 0.25*phi^4 + s*phi
[motion]
until = 2
every = 0.1
END
quiet evolve mast.ini -o a.npy --curves a.csv --probe 0.75,0.25 --probe 1,0
head -n 1 a.csv
cut -d, -f1,4,5 a.csv | sed -n '2,3p;$p'
wc -l <a.csv
quiet evolve mast.ini --method yoshida4 -o b.npy --until 0.1
quiet evolve mast.ini --method midpoint -o b.npy --until 0.1
try flow --grid 'x = 0:1:9 pin t' --energy '0.5*grad2(phi) - x*phi/(1 + t)' --until 0.1 -o b.npy \
    --curves b.csv --probe 0.5 -q
tail -n 1 b.csv | cut -d, -f1

echo "-- killed, and taken up again"
sed 's/0.1$/0.001/; s/65/129/; s/33/65/' mast.ini >long.ini
scorefield evolve long.ini -q -o whole.npy --curves whole.csv --probe 0.75,0.25
again="--checkpoint run"
for i in 1 2 3; do
    "$program" evolve long.ini -q -o parts.npy --curves parts.csv --probe 0.75,0.25 $again &
    for k in $(seq 6000); do
        [ -e run.$((40 * i)) ] && break
        sleep 0.005
    done
    kill -9 $!
    wait $! 2>/dev/null
    again="--resume run"
done
ls run parts.npy 2>/dev/null
try evolve long.ini --step 0.0001 -o parts.npy --resume run
try evolve mast.ini -o parts.npy --resume run | sed 's/frame [0-9]*/frame #/'
scorefield evolve long.ini -q -o parts.npy --curves parts.csv --probe 0.75,0.25 --resume run
cmp whole.npy parts.npy && cmp whole.csv parts.csv && echo same
ls run* 2>/dev/null | wc -l

echo "-- Ctrl-C"
env --default-signal=INT "$program" evolve long.ini -q -o parts.npy --checkpoint run 2>said &
while [ ! -e run ]; do sleep 0.005; done
kill -INT $!
wait $!
echo "[exit $?]"
cat said
scorefield evolve long.ini -q -o parts.npy --resume run
cmp whole.npy parts.npy && echo same

echo "-- what is refused"
try solve mast.ini -o b.npy
try verify mast.ini --exact x
try evolve mast.ini -o b.npy --probe 0.5,0.25
try evolve mast.ini -o b.npy --curves b.csv --probe 0.5
try evolve mast.ini -o b.npy --curves b.csv --probe 0.5,2
try evolve mast.ini -o b.npy --resume nothing
try evolve mast.ini -o b.npy --resume mast.ini
try evolve mast.ini -o b.npy --resume run --checkpoint other
try evolve mast.ini -o b.npy --method euler
sed 's/every = 0.1/method = euler/' mast.ini >bad.ini
try evolve bad.ini -o b.npy
