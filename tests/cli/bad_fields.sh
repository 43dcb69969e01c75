# What files of fields have wrong, or what is easily taken wrongly: each is told, or is right.
if ! scorefield info "$data/storm.nc" >/dev/null 2>&1; then
    cat "$here/bad_fields.out"
    exit
fi
PYTHONPATH=$here python3 -B - <<'END'
import math
from classic import write
lat = ("lat", ["lat"], "f", {"units": "degrees_north"}, [-10, 0, 10])
lon = ("lon", ["lon"], "f", {"units": "degrees_east"}, [0, 90, 180, 270])
days = {"units": "days since 2000-01-01"}
def grid(path, time, name="t", points=(0, 90, 180, 270), count=24):
    write(path, {"time": None, "lat": 3, "lon": len(points)}, [
        ("time", ["time"], "d", time, range(count // (3 * len(points)))), lat,
        ("lon", ["lon"], "f", {"units": "degrees_east"}, points),
        (name, ["time", "lat", "lon"], "f", {"units": "K"},
         [k + 1 for k in range(count)]),
        ("p", ["lat", "lon"], "f", {"units": "Pa"}, [1] * 3 * len(points))])
grid("a.nc", days)
grid("b.nc", days, "q", (0, 90, 181, 270))
grid("c.nc", days, "q", (0, 90, 180), 18)
grid("empty.nc", days, count=0)
grid("plain.nc", {"units": "days"})
grid("martian.nc", days | {"calendar": "martian"})
grid("fortnights.nc", {"units": "fortnights since 2000-01-01"})
# A column twice; poles and longitudes that say "degrees" alone.
write("twice.nc", {"lat": 3, "lon": 5}, [
    ("lat", ["lat"], "f", {"units": "degrees_north"}, [-60, 0, 30]),
    ("lon", ["lon"], "f", {"units": "degrees_east"}, [0, 90, 180, 270, 360]),
    ("t", ["lat", "lon"], "f", {}, [0, 1, 2, 5, 0] * 3)])
write("pole.nc", {"lat": 5, "lon": 4}, [
    ("lat", ["lat"], "f", {"units": "degrees", "standard_name": "latitude"},
     [90, 45, 0, -45, -90]),
    ("lon", ["lon"], "f", {"units": "degrees", "standard_name": "longitude"},
     [-180, -90, 0, 90]),
    ("t", ["lat", "lon"], "f", {"units": "K"}, [1] * 4 + [2] * 12 + [3] * 4)])
# Tenths of a degree as floats are equal steps.
write("tenths.nc", {"lat": 3, "lon": 3600}, [
    ("lat", ["lat"], "f", {"units": "degrees_north"}, [-0.1, 0, 0.1]),
    ("lon", ["lon"], "f", {"units": "degrees_east"}, [k * 0.1 for k in range(3600)]),
    ("t", ["lat", "lon"], "d", {"units": "m"},
     [math.sin(math.radians(k * 0.1)) for k in range(3600)] * 3)])
# Numbers as files pack them.
write("pack.nc", {"y": 1, "x": 4}, [
    ("x", ["x"], "d", {"units": "m", "axis": "X"}, [0, 1, 2, 3]),
    ("y", ["y"], "d", {"units": "m", "axis": "Y"}, [0]),
    ("s", ["y", "x"], "h", {"scale_factor": ("f", [0.1]), "add_offset": ("f", [10]),
     "_FillValue": ("h", [-32768]), "units": "degC"}, [1, 2, -32768, 4]),
    ("u", ["y", "x"], "b", {"_Unsigned": "true"}, [1, 2, 3, -1]),
    ("n", ["y", "x"], "h", {"missing_value": ("f", [float("nan")]),
     "scale_factor": ("d", [-0.5]), "units": "gpm"}, [1, 2, 3, 4]),
    ("r", ["y", "x"], "h", {"valid_range": ("h", [0, 100])}, [1, 2, 300, -4]),
    ("m", ["y", "x"], "f", {"units": "mb"}, [1000, 1001, 1002, 1003])])
write("turns.nc", {"y": 2, "x": 3}, [
    ("x", ["x"], "f", {"units": "m"}, [0, 2, 1]), ("y", ["y"], "f", {"units": "m"}, [0, 1]),
    ("t", ["y", "x"], "f", {"units": "K"}, range(6))])
END
calc() { try calc "$@" -o o.nc | sed 's/^seconds .*/seconds #/'; }
echo "-- names"
calc 'r = tt + 1' a.nc
calc 'r = p + tt' a.nc
calc 'lat = t' a.nc
calc 'r = t; r = 2*t' a.nc
echo "-- axes"
calc 'r = t + q' a.nc b.nc
calc 'r = t + q' a.nc c.nc
calc 'r = t' a.nc --select 'lonn=90'
calc 'r = t; m = p' a.nc --select 'time=2000-01-02; lat=0'
calc 'r = t' a.nc --select 'time=2010-01-02'
calc 'r = dx(t)' turns.nc
echo "-- units"
calc 'r = t + p' a.nc
calc 'r = exp(s)' pack.nc
calc 'r = s + m' pack.nc
echo "-- times"
try info empty.nc
calc 'r = 2*t' empty.nc
try plot empty.nc --var t -o o.png
calc 'r = dt(t)' plain.nc
calc 'r = t' plain.nc --select 'time=2000-01-01'
calc 'r = anomaly(t, month)' plain.nc
calc 'r = dt(t)' martian.nc
calc 'r = anomaly(t, month)' martian.nc
calc 'r = dt(t)' fortnights.nc
calc 'r = d(t, time)' fortnights.nc
echo "-- files"
try calc 'r = t' a.nc -o a.nc
ln -s a.nc link.nc
try calc 'r = t' a.nc -o link.nc
for bytes in 20 300 500; do
    head -c $bytes a.nc >cut.nc
    calc 'r = t' cut.nc
done
echo "-- a column that is there twice, poles, tenths of a degree, packed numbers"
calc 'm = mean(t)' twice.nc
calc 'g = grad(t); l = laplacian(t)' pole.nc
try info tenths.nc
calc 'r = dx(t)*6371229' tenths.nc | grep '^  r'
calc 'd = s - 5; k = s - s[x=0]; w = 2*u; h = n; v = r; b = units(m, "hPa"); g = dx(s); z = s*0' pack.nc
