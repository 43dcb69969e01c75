# Files of fields: what they hold, and what is refused.
files=$here/../data/fields
# A build without NetCDF has nothing to show here.
if scorefield info packed.nc 2>&1 | grep -q 'has no NetCDF'; then
    cat "$here/fields.out"
    exit
fi
cp "$files"/*.nc .
for file in packed climate groups shapes; do
    try info $file.nc
done
try info packed.nc --var v
scorefield info climate.nc --json | python3 -c '
import json, sys
report = json.load(sys.stdin)
print(report["geometry"], report["axes"][0]["first"], report["fields"][0]["max"])'
try info packed.nc --var levle
try info packed.nc --var temperature
try info shapes.nc --var label
try info nowhere.nc
head -c 900 packed.nc >cut.nc
try info cut.nc
head -c 9000 climate.nc >cut4.nc
scorefield info cut4.nc 2>&1 | sed 's/ (.*)//'
printf 'CDF\001' >short.nc
scorefield info short.nc 2>&1 | sed 's/ (.*)//'
: >empty.nc
try info empty.nc
echo 'x,y' >table.nc
try info table.nc
try info "$data/iris.csv" --var u
echo "-- maps"
try plot packed.nc --var u -o u.png
try plot packed.nc --var u --select 'lev=850; lon=-90:90' -o u.svg -q
try plot climate.nc --select 'time=1861-06' -o t.pdf
try plot shapes.nc --var a -o a.png
try plot packed.nc --var u --select lev=500 --contours auto --centre 20 -o lines.png -q
try plot packed.nc --var u --select lev=500 --contours-of u --contours 0:60:20 --range -10:60 --colours light -o light.svg -q
try plot packed.nc --vector 'u, u' --select lev=850 -o arrows.png -q
try plot packed.nc --var u --vector u,u --select lev=500 --streamlines -o flow.svg -q
try plot packed.nc --var u --over level -o panels.png -q
try plot climate.nc --over t -o panels.svg
try plot climate.nc -o film.webp
try plot packed.nc --vector u,u --over lev -o film.gif -q
try plot packed.nc --var u --select lon=0 -o section.svg
try plot climate.nc --select lat=30 -o section.pdf
echo "-- the storm"
try info "$data/storm.nc"
try plot "$data/storm.nc" --vector u,v --contours-of p --select 'time=1996-01-07 18:00' -o storm.png
try plot "$data/storm.nc" --var t --vector u,v --streamlines -o storm.webp --select 'time=1996-01-07' --scale 0.5
# Which axes, and the dates at their marks.
axes() {
    scorefield plot "$@" -o axes.svg --json 2>/dev/null | python3 -c '
import json, sys
report = json.load(sys.stdin)
print(report["x"], "|", report["y"], "|", report.get("over"))'
}
axes "$data/storm.nc" --var t
axes "$data/storm.nc" --var t --select lat=40
axes "$data/storm.nc" --var t --select 'lat=40; time=1996-01-07:1996-01-07'
axes "$data/storm.nc" --var t --select 'lon=-100' --over lat --select 'lat=40:45; time=1996-01-06:1996-01-07'
axes climate.nc --select lat=30
axes packed.nc --var u --select lon=0
axes packed.nc --var u --over lat
echo "-- positions in two dimensions, discs, arrays"
try plot curved.nc --var ice -o curved.png
try plot curved.nc --vector ua,va --contours-of ice --over time -o curved.svg
try plot curved.nc --var ice --select 'time=2000-01-01; i=2:4' -o part.pdf
python3 - <<'END'
import array, math
def save(name, shape, values):
    head = "{'descr': '<f8', 'fortran_order': False, 'shape': %s, }" % (shape,)
    head += " " * (117 - len(head)) + "\n"
    with open(name, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little"))
        file.write(head.encode() + array.array("d", values).tobytes())
save("disc.npy", (3, 8), [r * math.cos(k) for r in range(3) for k in range(8)])
save("out.npy", (3, 8), [1.0] * 24)
save("cube.npy", (2, 3, 4), range(24))
END
polar='r=0:2:3; theta=0:6.283185307179586:8 periodic'
try plot disc.npy --grid "$polar" --contours auto -o disc.png
try plot out.npy disc.npy --grid "$polar" --vector out,disc --streamlines -o disc.svg
try plot cube.npy --grid 't=0:1:2; y=0:2:3; x=0:3:4' --over t -o cube.png
ls *.png *.svg *.pdf *.webp *.gif
scorefield plot packed.nc --var u --select lev=500 -o words.svg --json 2>&1 | python3 -c '
import json, sys
report = json.loads(sys.stdin.read().split("\n", 1)[1])
print(report["title"], report["values"])'
try plot packed.nc -o none.png
try plot packed.nc --var u --select 'lat=10' -o none.png
try plot packed.nc --var u --select 'lat=0; lon=0' -o none.png
try plot shapes.nc --var e -o none.png
try plot packed.nc "$data/iris.csv" --var u -o none.png
try plot "$data/iris.csv" --var u -o none.png
try plot packed.nc --var u --contours 3,2 -o none.png
try plot packed.nc --var u --contours 1:2:0 -o none.png
try plot packed.nc --var u --range 2:1 -o none.png
try plot packed.nc --var u --contours-of v -o none.png
try plot "$data/iris.csv" --contours auto -o none.png
try plot packed.nc --vector u -o none.png
try plot packed.nc --vector u,w -o none.png
try plot packed.nc --vector u,v -o none.png
try plot packed.nc --vector u,u --select lon=0 -o none.png
try plot packed.nc --var u --streamlines -o none.png
try plot packed.nc climate.nc -o none.png
try plot packed.nc --var u --over time -o none.png
try plot packed.nc --var u --over lev --select lev=500 -o none.png
try plot packed.nc --var u --over lev --select lat=0 -o none.png
try plot packed.nc --var v -o none.gif
try plot curved.nc --vector ua,va --streamlines -o none.png
try plot disc.npy --grid 'r=0:2:4; theta=0:1:8' -o none.png
try plot disc.npy --grid "$polar" --var disk -o none.png
try plot disc.npy --grid "$polar" --select r=1 -o none.png
try plot disc.npy --grid 7 -o none.png
try plot curved.nc --grid "$polar" --var ice -o none.png
