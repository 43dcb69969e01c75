# Fields from fields, from file to file, and what is refused.
files=$here/../data/fields
if scorefield info packed.nc 2>&1 | grep -q 'has no NetCDF'; then
    cat "$here/calc.out"
    exit
fi
cp "$files"/*.nc .
cp "$data/storm.nc" .
calc() { try calc "$@" | sed 's/^seconds .*/seconds #/'; }
calc 'speed = norm(u, v); zeta = curl(u, v); d = div(u, v)' storm.nc -o wind.nc
try info wind.nc
echo "-- units, means, selections, results of results"
calc 'c = units(t, "degF"); m = mean(c, lat, lon); a = c - m' storm.nc -o t.nc
calc 'm = mean(t, time); d = t - m; w = max(d)' storm.nc -o m.nc
calc 'd = t - t[time=1996-01-06 06:00]' storm.nc -o d.nc
calc 'g = grad(t)' storm.nc -o g.nc --order 4 --select 'time=1996-01-07; lat=30:50'
echo "-- on another grid within an expression, in single precision, spectral"
calc 'd = regrid(max(t, time), "lat = 22:54:9; lon = 240:280:11") - regrid(mean(t, time), "lat = 22:54:9; lon = 240:280:11")' \
    storm.nc -o r.nc
calc 'd = t - regrid(t, "lat = 22:54:9; lon = 240:280:11")' storm.nc -o x.nc
calc 'd = regrid(t, "lat = 22:54:9; lon = 240:280:11"); e = d - mean(d, time)' \
    storm.nc -o r.nc --precision single
calc 'z = dx(t)' storm.nc -o x.nc --order spectral
calc 'd = t - t[time=1996-01-06 06:00; lat=40]' storm.nc -o r.nc
echo "-- the same plainly and packed, in one piece and in double"
calc 'z = curl(u, v)' storm.nc -o z.npy --select 'time=1996-01-07 18:00'
calc 'z = curl(u, v)' storm.nc -o z.vtr --select 'time=1996-01-07 18:00'
echo "-- what is refused"
calc 'x = foo(t)' storm.nc -o x.nc 2>&1 | cut -c1-100
calc 'x = temperature' storm.nc -o x.nc
calc 'x = t + nothing' storm.nc -o x.nc 2>&1 | cut -c1-100
calc 'x = units(t, "m")' storm.nc -o x.nc
calc 'x = t +' storm.nc -o x.nc
calc 't' storm.nc -o x.nc
blanks=$(printf '%300s' '')
calc "x = t[time=1996-01-07;${blanks}lat=40]" storm.nc -o x.nc | tr -s ' '
calc "x = \"$(printf '%300s' t | tr ' ' t)\"" storm.nc -o x.nc | tr -s t
calc 'x = t' storm.nc -o storm.nc
calc 'x = dx(ice)' curved.nc -o x.nc 2>&1 | tail -3
calc 'x = t' nowhere.nc -o x.nc
head -c 900 storm.nc >cut.nc
calc 'x = t' cut.nc -o x.nc 2>&1 | sed 's/ (.*)//'
calc 'x = t' storm.nc -o x.txt
ls x.* 2>/dev/null || true
