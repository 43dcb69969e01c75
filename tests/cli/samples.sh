# Row i of a sample is a function of the seed and of i alone.
model=$corpus/model/network.safetensors
for method in flow sde annealed pc; do
    draw() { scorefield sample "$model" --method $method --steps 12 --seed 5 "$@"; }
    draw -n 300 -j 1 -o a.csv
    draw -n 300 -j 3 -o b.csv
    cmp a.csv b.csv && echo "$method: the same for 1 and 3 threads"
    draw -n 7 -o few.csv
    head -8 a.csv | cmp - few.csv && echo "$method: the same for 7 and 300 rows"
    draw -n 10 --first 200 -o late.csv
    { head -1 a.csv; sed -n 202,211p a.csv; } | cmp - late.csv &&
        echo "$method: the same from row 200 on"
    draw -n 300 --seed 6 -o other.csv
    cmp -s a.csv other.csv && echo "$method: another seed gives the same"
done
scorefield sample "$corpus/model/one_level.safetensors" --method langevin --steps 20 -n 3 -o l.csv
wc -l <l.csv
echo "-- seeds are any integers of 64 bits"
scorefield sample "$model" -n 2 --seed -1 -o a.csv
scorefield sample "$model" -n 2 --seed 18446744073709551615 -o b.csv
cmp a.csv b.csv && echo same
echo "-- the path of every walker ends where its sample is"
scorefield sample "$model" -n 5 --steps 12 --raw -o s.npy --trace t.npy
python3 - <<'PYTHON'
import ast, struct
def read(name):
    b = open(name, "rb").read()
    n = struct.unpack("<H", b[8:10])[0]
    head = ast.literal_eval(b[10:10 + n].decode())
    code = {"<f4": "f", "<f8": "d"}[head["descr"]]
    data = b[10 + n:]
    return head["shape"], struct.unpack("<%d%s" % (len(data) // struct.calcsize(code), code), data)
shape, path = read("t.npy")
size, last = read("s.npy")
print(shape, size)
print(all(abs(a - b) <= 1e-6 * abs(b) for a, b in zip(path[-10:], last)))
PYTHON
