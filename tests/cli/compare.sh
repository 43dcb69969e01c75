# Two halves of one table are alike; a copy is found out.
awk 'NR == 1 || NR % 2' "$data/faithful.csv" >a.csv
awk 'NR == 1 || !(NR % 2)' "$data/faithful.csv" >b.csv
try compare a.csv b.csv | sed -E 's/[0-9]+\.[0-9e-]+/#/g; s/ +/ /g'
scorefield compare a.csv a.csv --json | python3 -c '
import json, sys
r = json.load(sys.stdin)
print(r["distances"]["energy_distance"] < 1e-12, r["copies"]["suspicious"])
print(r["copies"]["rows_equal_to_a_real_row"], r["rows_real"])
print(len(r["columns"][0]["quantiles_real"]))'
scorefield compare "$data/iris.csv" "$data/iris.csv" --permutations 0 --projections 0 --json 2>&1 | python3 -c '
import json, sys
text = sys.stdin.read()
print(text.split("{")[0], end="")
r = json.loads(text[text.index("{"):])
print([c["column"] for c in r["columns"]])'
try compare a.csv "$data/iris.csv"
try compare "$data/iris.csv" a.csv
try compare a.csv b.csv --columns waitin
printf 'eruptions,waiting\n1,2\n' >one.csv
try compare a.csv one.csv
printf 'eruptions,waiting\n1,\n,3\n' >holes.csv
try compare a.csv holes.csv
# Small samples have exact p values; columns that one table lacks are named.
printf 'x\n1\n2\n3\n' >low.csv
printf 'x\n4\n5\n6\n' >high.csv
scorefield compare low.csv high.csv --json | grep -o '"ks_p[^,}]*' | cut -c1-12
printf 'x,eruptions,waiting\n1,2,3\n2,3,4\n' >more.csv
try compare a.csv more.csv
try compare low.csv a.csv
# What has no square is refused, and what is not finite is null.
printf 'a,b\n1e160,1\n3e160,2\n2e160,3\n' >large.csv
try compare large.csv large.csv
printf 'a\n1e135\n3e135\n2e135\n' >wide.csv
scorefield compare wide.csv wide.csv --json | python3 -c '
import json, sys
r = json.load(sys.stdin)
print(r["columns"][0]["sd_real"], r["copies"]["suspicious"])'
# Categories by their spelling, missing cells, angles, and the pairs that differ most.
printf 'species,mass,wind,day\nx,1,350,2024-01-01\ny,2,10,2024-01-03\nx,,355,2024-01-02\ny,4,5,2024-01-08\n' >mixed.csv
printf 'mass,species,day,wind\n1,y,2024-01-01,10\n2,y,2024-01-02,12\n5,z,2024-01-03,358\n' >drawn.csv
try compare mixed.csv drawn.csv --permutations 0 --projections 0 --domain 'wind=circle:360'
scorefield compare mixed.csv drawn.csv --held-out mixed.csv --domain 'wind=circle:360' --json | python3 -c '
import json, sys
r = json.load(sys.stdin)
c = {k["column"]: k for k in r["columns"]}
print(c["species"]["total_variation"], c["species"]["total_variation_held_out"], c["species"]["outside"])
print(round(c["wind"]["wasserstein"], 9), c["wind"]["wasserstein_held_out"], c["wind"]["period"], c["day"]["kind"])
print(c["mass"]["missing_real"], r["rows_held_out"], len(r["pairs"]["largest"]))'
try compare mixed.csv drawn.csv --domain 'wind=360'
try compare mixed.csv drawn.csv --domain 'wnd=circle'
try compare mixed.csv drawn.csv --domain 'species=circle'
printf 'species,mass\n1,2\n2,x\n' >other.csv
try compare mixed.csv other.csv
# What learns from rows: thirds of iris are alike, and each teaches the species.
for k in 0 1 2; do
    awk -v k=$k 'NR == 1 || NR % 3 == k' "$data/iris.csv" >third$k.csv
done
scorefield compare third0.csv third1.csv --held-out third2.csv --target species --json | python3 -c '
import json, sys
r = json.load(sys.stdin)
t, u = r["two_sample"], r["usefulness"]
for key in "auc_logistic", "auc_neighbours", "auc_logistic_held_out":
    print(key, abs(t[key] - 0.5) < 4 * t["standard_error_if_alike"])
print(u["target"], u["measure"], u["rows_judged"])
print([u[k] > 0.9 for k in ("linear_synthetic", "linear_real", "neighbours_synthetic", "neighbours_real")])
c, d = r["copies"], r["distances"]
print(c["reference"], 0.7 < c["closeness_ratio"] < 1.4, c["suspicious"], len(c["inference"]))
print(0.7 < d["transport"] / d["transport_held_out"] < 1.4, d["coverage"] > 0.6)'
try compare third0.csv third1.csv --target species
try compare third0.csv third1.csv --held-out third2.csv --target specie
# The same in five sentences.
scorefield compare a.csv b.csv --json | python3 -c '
import json, sys
for sentence in json.load(sys.stdin)["summary"]:
    print(sentence)'
