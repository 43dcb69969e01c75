# fit, info, sample and eval of a gaussian.
try fit "$data/faithful.csv" --model gaussian -o m.safetensors
try info m.safetensors
try fit "$data/penguins.csv" --model gaussian -o p.safetensors
echo "-- streamed by blocks and from memory: the same model"
cat "$data/faithful.csv" | scorefield fit - --model gaussian -q -o piped.safetensors
scorefield eval m.safetensors "$data/faithful.csv" --want logpdf,score -q -o a.csv
scorefield eval piped.safetensors "$data/faithful.csv" --want logpdf,score -q -o b.csv
cmp a.csv b.csv && echo same
echo "-- a point whose log density is known: the mean"
printf 'eruptions,waiting\n3.4877830882352936,70.8970588235294\n' >mean.csv
scorefield eval m.safetensors mean.csv --want logpdf,score,divergence,jacobian -q -o - |
    awk -F, 'NR == 1 { print } NR > 1 { for (i = 1; i <= NF; i++) printf "%.4f ", $i + 0; print "" }' | sed 's/-0\.0000/0.0000/g'
try sample m.safetensors -n 20000 -o s.csv --json
awk -F, 'NR > 1 { n++; a += $1; b += $2; aa += $1 * $1; ab += $1 * $2 } END {
    printf "mean %.1f %.0f, sd %.1f, covariance %.0f\n", a / n, b / n,
        sqrt(aa / n - (a / n) ^ 2), ab / n - a * b / n / n }' s.csv
