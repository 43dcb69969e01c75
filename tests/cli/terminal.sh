# Texts of users never tell the terminal what to do: no control character of theirs
# is printed, in reports, notes and messages.
esc=$(printf '\033[31m') csi=$(printf '\302\2331m')
printf '"red%s","two\nlines","c1%s"\n1,2,3\n2,3,5\n4,4,4\n5,1,2\n' "$esc" "$csi" >names.csv
raw() {
    LC_ALL=C grep -c -e "$(printf '\033')" -e "$(printf '\302\233')" "$1"
}
for command in "info names.csv" \
    "fit names.csv --model gaussian -o names.safetensors" \
    "info names.safetensors" \
    "compare names.csv names.csv" \
    "compare names.csv $data/iris.csv" \
    "compare names.csv names.csv --columns x$esc" \
    "eval names.safetensors $data/iris.csv -o -" \
    "sample --density -x^2$esc -n 2 -o -" \
    "$esc" "info no$esc.csv"; do
    scorefield $command >printed 2>&1 </dev/null
    echo "$?: $(raw printed) lines with a control character"
done
scorefield compare names.csv names.csv | sed -n '3,7p' | cut -c1-30
scorefield info "no$esc.csv" 2>&1
