/* SPDX-License-Identifier: Apache-2.0 */
/* Diagnostics of chains against the R package posterior, against what is known of
 * autoregressions and of independent draws, and where nothing can be told. */
#include "faults.h"
#include "base/random.h"
#include "scorefield/diagnose.h"

enum { NUMBERS = sizeof(sf_diagnosis) / sizeof(double), MOST = 80000 };

static double x[MOST], y[MOST];

/* The fields in order. */
static const char *const names[NUMBERS] = {
    "mean",      "sd",       "q05",      "median",      "q95",
    "mcse_mean", "mcse_sd",  "mcse_q05", "mcse_median", "mcse_q95",
    "rhat",      "ess_bulk", "ess_tail", "ess_mean"};

static void numbers(double to[NUMBERS], const sf_diagnosis *from)
{
    memcpy(to, from, sizeof *from);
}

static sf_diagnosis diagnosis(const double *data, int64_t chains, int64_t draws)
{
    sf_context *ctx = new_context();
    const sf_draws d = {data, chains, draws, 1, 1, NULL};
    sf_diagnosis out;
    CHECK_OK(ctx, sf_diagnose(ctx, &d, &out));
    sf_context_free(ctx);
    return out;
}

static bool same(const sf_diagnosis *a, const sf_diagnosis *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* ---- posterior ---- */

typedef enum kind { PLAIN, WHOLE, CUBED } kind;

/* Noise that any language makes alike: s <- 16807 s mod (2^31 - 1), and
 * e = -2 + u + u + u + u with u = s/(2^31 - 1), summed in this order. */
static void recipe(double *to, int chains, int draws, double phi, double shift,
                   double stretch, kind k)
{
    const double modulus = 2147483647.0;
    double s = 12345.0;
    for (int c = 0; c < chains; c++) {
        double state = 0.0;
        for (int i = 0; i < draws; i++) {
            double e = -2.0;
            for (int term = 0; term < 4; term++) {
                s = fmod(16807.0 * s, modulus);
                e += s / modulus;
            }
            state = phi * state + e;
            const double v = (1.0 + stretch * c) * state + shift * c;
            *to++ = k == PLAIN ? v : k == WHOLE ? floor(2.0 * v) : v * v * v;
        }
    }
}

/* From posterior 1.4.0 and R 4.2.2, on the same draws made in R: mean, sd,
 * quantile (type 7); mcse_mean, mcse_sd, mcse_quantile; rhat, ess_bulk, ess_tail,
 * ess_mean.  Its autocovariances come from transforms of another length, and its
 * means are summed in another order. */
TEST(numbers_are_those_of_posterior)
{
    static const struct {
        int chains, draws;
        double phi, shift, stretch;
        kind kind;
        double want[NUMBERS];
    } cases[] = {
        {4,
         500,
         0.3,
         0,
         0,
         PLAIN,
         {0.012096033080737641, 0.60994767167631192, -0.99307274252986899,
          0.01770820913684441, 0.99991874270318759, 0.018437600008549462,
          0.0094442653534322473, 0.03335730417699323, 0.018756956890120045,
          0.026449536174553923, 1.0006526355275542, 1099.2244453660307,
          1689.5506600896231, 1094.4007390234201}},
        {4,
         1000,
         0.98,
         0,
         0,
         PLAIN,
         {0.31815232305389529, 2.6560987100768325, -3.9261162380194521,
          0.20138703779588865, 4.9952023607639617, 0.37303644883787163,
          0.15454648182203806, 0.37928904236846672, 0.37729482211627624,
          0.38664286250919755, 1.046834066960886, 51.414798352999114,
          158.13469506698746, 50.697423147944647}},
        {4,
         250,
         -0.6,
         0,
         0,
         PLAIN,
         {0.012233309548225664, 0.72573595367630173, -1.1620867316080654,
          0.0050862624956081216, 1.1869926038302447, 0.013250065087367825,
          0.02208359709921872, 0.042642832781591533, 0.022608123265070286,
          0.046699533321744813, 0.99983733066859026, 3000, 834.91482748138139,
          3000}},
        {4,
         300,
         0.5,
         0,
         0,
         WHOLE,
         {-0.45583333333333331, 1.3544659909558832, -3, 0, 2,
          0.064862133126342134, 0.030401641057769109, 0, 0.5, 0,
          1.0005199880517932, 436.88881402722404, 812.95552177778939,
          436.06753538830804}},
        {4,
         200,
         0.4,
         0.7,
         0,
         PLAIN,
         {1.0740063966269577, 1.030362176386483, -0.66425181222859764,
          1.0810438442632204, 2.6914917807559613, 0.40171452709788336,
          0.10777626316682856, 0.25662252534440133, 0.47619162350012822,
          0.20738223528839583, 1.6713074449756309, 6.7957110956903506,
          52.956868102782472, 6.5787705701403798}},
        {4,
         200,
         0.4,
         0,
         0.5,
         PLAIN,
         {0.061207360143639089, 1.1472969050989599, -1.803076822859393,
          0.022557129531019099, 1.9816121234522504, 0.066298757853390511,
          0.13714378559413029, 0.13051179798523349, 0.050062388174452244,
          0.22482969274948528, 1.0624270799613265, 307.30478689901378,
          285.75513557132876, 299.46140693925156}},
        {1,
         501,
         0.7,
         0,
         0,
         PLAIN,
         {0.01892897710392337, 0.80673355685010184, -1.2820090706244103,
          0.057926846291160738, 1.3468411506639062, 0.091987895100526698,
          0.042593199499799735, 0.098753024303251391, 0.095428894080273774,
          0.10951857388192454, 1.0228367846614548, 78.988260656103378,
          158.52934020737408, 76.912846003733051}},
        {3,
         333,
         0.5,
         0.1,
         0,
         CUBED,
         {0.19165345298021499, 1.1008662738777575, -0.83179898479227798,
          0.0027428037716341691, 1.9905856047377037, 0.05690432342179632,
          0.093160877379304258, 0.15380721159191063, 0.0025109130195749567,
          0.28519751219379175, 1.0144662733945808, 293.65003824540122,
          646.80721713756111, 374.26447466589048}},
        {2,
         13,
         0.2,
         0,
         0,
         PLAIN,
         {-0.10024810914191047, 0.58515175675180076, -1.1278895964955398,
          -0.043603916487509289, 0.83612282360155632, 0.14801477580907474,
          0.057911634739179284, 0.22135678245360646, 0.20394839954556199,
          0.23837665295941912, 1.1503598526768113, 15.245665865200481,
          33.125069801078538, 15.628844963664298}},
        {2,
         400,
         1,
         0,
         0,
         PLAIN,
         {0.83793551887580586, 4.2684247113476976, -5.9826443052536993,
          0.75803211622779942, 9.3182288595560099, 2.3874421245800717,
          0.92745833040510872, 0.88229518168712717, 1.9782939515906837,
          3.1935535691182859, 1.6831767859214208, 3.2118614692055614,
          13.975229432535464, 3.1964620030213746}},
        {8,
         101,
         -0.95,
         0,
         0,
         WHOLE,
         {-0.50371287128712872, 4.010517285696146, -7, -1, 6,
          0.083219509192581198, 0.3409172391551305, 0, 0.5, 0.5,
          1.1549915489626754, 2322.471989593555, 257.26533821776201,
          2322.471989593555}},
        {1,
         5000,
         0.995,
         0,
         0,
         PLAIN,
         {0.8318188921135945, 4.3385330870206218, -5.7562895055445171,
          0.59827247017765528, 8.8247731403467373, 0.82961845156790415,
          0.40057867266780239, 0.53783093738939947, 0.85582595612067869,
          0.9273697071350222, 1.0391276283268462, 27.894180075238502,
          73.935909368520669, 27.348217327790241}},
    };
    for (size_t k = 0; k < SFI_COUNT(cases); k++) {
        recipe(x, cases[k].chains, cases[k].draws, cases[k].phi, cases[k].shift,
               cases[k].stretch, cases[k].kind);
        const sf_diagnosis d = diagnosis(x, cases[k].chains, cases[k].draws);
        double got[NUMBERS];
        numbers(got, &d);
        for (int i = 0; i < NUMBERS; i++) {
            const double want = cases[k].want[i];
            if (fabs(got[i] - want) > 1e-11 * fabs(want))
                fprintf(stderr, "case %zu: %s\n", k, names[i]);
            CHECK_CLOSE(got[i], want, 1e-11);
        }
    }
}

/* ---- what is known ---- */

static double normal(uint64_t seed, int64_t i)
{
    const sfi_where where = {seed, (uint64_t)i, 0, SFI_STREAM_USER};
    return sfi_normal_at(where, 0);
}

/* Chains of variance 1 that begin in their stationary law. */
static void autoregression(double *to, int chains, int draws, double phi,
                           uint64_t seed)
{
    const double step = sqrt(1.0 - phi * phi);
    for (int c = 0; c < chains; c++) {
        double state = normal(seed, (int64_t)c * draws);
        for (int i = 0; i < draws; i++) {
            if (i > 0)
                state =
                    phi * state + step * normal(seed, (int64_t)c * draws + i);
            *to++ = state;
        }
    }
}

/* A sum of autocorrelations up to the lag M errs by sqrt((4 M + 2)/n), relatively
 * (Priestley 1981, 6.2.4).  With M six times as long as they take to fall by e,
 * (1 + phi)/(1 - phi)/2 or at least 1/2, this is 2, 2, 4, 11 and 20 %; about two
 * of these are allowed, and the seed is fixed.  Squares of autoregressions have
 * autocorrelations phi^2t. */
TEST(effective_draws_of_autoregressions_are_known)
{
    enum { CHAINS = 4, DRAWS = 5000 };
    static const struct {
        double phi, error;
    } cases[] = {{-0.5, 0.1}, {0.0, 0.06}, {0.5, 0.1}, {0.9, 0.2}, {0.97, 0.4}};
    const double n = CHAINS * DRAWS;
    for (size_t k = 0; k < SFI_COUNT(cases); k++) {
        const double phi = cases[k].phi, error = cases[k].error;
        autoregression(x, CHAINS, DRAWS, phi, 11 + k);
        const sf_diagnosis d = diagnosis(x, CHAINS, DRAWS);
        const double ess = n * (1.0 - phi) / (1.0 + phi);
        CHECK_CLOSE(d.ess_mean, ess, error);
        CHECK_CLOSE(d.ess_bulk, ess, error);
        CHECK_CLOSE(d.mcse_mean, sqrt(1.0 / ess), error);
        CHECK_NEAR(d.mean, 0.0, 4.0 * d.mcse_mean);
        const double square = n * (1.0 - phi * phi) / (1.0 + phi * phi);
        CHECK_CLOSE(d.mcse_sd, sqrt(0.5 / square), error);
        CHECK_NEAR(d.sd, 1.0, 4.0 * d.mcse_sd);
        CHECK_NEAR(d.q05, -1.6448536269514722, 4.0 * d.mcse_q05);
        CHECK_NEAR(d.median, 0.0, 4.0 * d.mcse_median);
        CHECK_NEAR(d.q95, 1.6448536269514722, 4.0 * d.mcse_q95);
        CHECK(d.rhat > 0.999 && d.rhat < 1.03);
    }
}

/* Quantiles of n independent draws err by sqrt(p (1 - p)/n)/f(q); the distance of
 * two order statistics 2 sqrt(p (1 - p) n) = 87 or 200 ranks apart is itself
 * known to 11 or 7 %, and the effective draws add 2 %. */
TEST(errors_of_quantiles_of_independent_draws_are_known)
{
    enum { CHAINS = 4, DRAWS = 10000 };
    autoregression(x, CHAINS, DRAWS, 0.0, 3);
    const sf_diagnosis d = diagnosis(x, CHAINS, DRAWS);
    const double n = CHAINS * DRAWS, density = 0.10313564037537139;
    CHECK_CLOSE(d.mcse_q05, sqrt(0.05 * 0.95 / n) / density, 0.3);
    CHECK_CLOSE(d.mcse_q95, sqrt(0.05 * 0.95 / n) / density, 0.3);
    CHECK_CLOSE(d.mcse_median, 0.5 / sqrt(n) / 0.3989422804014327, 0.2);
    CHECK_CLOSE(d.ess_tail, n, 0.06);
    CHECK_CLOSE(d.rhat, 1.0, 1e-3);
}

/* One of four chains is shifted, or has four times the spread: of the latter the
 * ranks of distances from the median know, but not those of the draws. */
TEST(chains_that_disagree_are_seen)
{
    enum { CHAINS = 4, DRAWS = 1000 };
    double before = 1.005, ess = 4000.0;
    for (int shift = 0; shift < 4; shift++) {
        autoregression(x, CHAINS, DRAWS, 0.3, 5);
        for (int i = 0; i < DRAWS; i++)
            x[i] += 0.5 * shift;
        const sf_diagnosis d = diagnosis(x, CHAINS, DRAWS);
        CHECK(shift == 0 ? d.rhat < before : d.rhat > before + 0.01);
        CHECK(shift == 0 ? d.ess_bulk > 1500.0 : d.ess_bulk < 0.7 * ess);
        before = d.rhat;
        ess = d.ess_bulk;
    }
    autoregression(x, CHAINS, DRAWS, 0.3, 5);
    for (int i = 0; i < DRAWS; i++)
        x[i] *= 4.0;
    const sf_diagnosis d = diagnosis(x, CHAINS, DRAWS);
    CHECK(d.rhat > 1.1 && d.ess_bulk > 1500.0);
    /* A drift, the same for all chains, shows between halves. */
    autoregression(x, CHAINS, DRAWS, 0.3, 5);
    for (int i = 0; i < CHAINS * DRAWS; i++)
        x[i] += 2e-3 * (i % DRAWS);
    CHECK(diagnosis(x, CHAINS, DRAWS).rhat > 1.1);
}

TEST(rising_functions_change_no_rank)
{
    enum { CHAINS = 3, DRAWS = 401 };
    autoregression(x, CHAINS, DRAWS, 0.6, 8);
    for (int i = 0; i < CHAINS * DRAWS; i++)
        y[i] = exp(3.0 * x[i]) + x[i];
    const sf_diagnosis a = diagnosis(x, CHAINS, DRAWS);
    const sf_diagnosis b = diagnosis(y, CHAINS, DRAWS);
    CHECK(a.ess_bulk == b.ess_bulk && a.ess_tail == b.ess_tail);
    CHECK(a.ess_mean != b.ess_mean);
    for (int i = 0; i < CHAINS * DRAWS; i++)
        y[i] = -x[i];
    const sf_diagnosis c = diagnosis(y, CHAINS, DRAWS);
    CHECK_CLOSE(c.rhat, a.rhat, 1e-13);
    CHECK_CLOSE(c.ess_bulk, a.ess_bulk, 1e-12);
    CHECK_CLOSE(c.mean, -a.mean, 1e-12);
    CHECK_CLOSE(c.q05, -a.q95, 1e-14);
    CHECK_CLOSE(c.q95, -a.q05, 1e-14);
}

/* Units are powers of two here, so nothing rounds: sizes of which squares would
 * overflow or vanish give the same bits. */
TEST(no_size_of_numbers_does_harm)
{
    enum { CHAINS = 2, DRAWS = 300 };
    autoregression(x, CHAINS, DRAWS, 0.6, 9);
    const sf_diagnosis a = diagnosis(x, CHAINS, DRAWS);
    const int exponents[] = {1000, -1000, 40, -900};
    for (size_t k = 0; k < SFI_COUNT(exponents); k++) {
        for (int i = 0; i < CHAINS * DRAWS; i++)
            y[i] = ldexp(x[i], exponents[k]);
        const sf_diagnosis b = diagnosis(y, CHAINS, DRAWS);
        double want[NUMBERS], got[NUMBERS];
        numbers(want, &a);
        numbers(got, &b);
        for (int i = 0; i < NUMBERS; i++)
            CHECK(got[i] == (i < 10 ? ldexp(want[i], exponents[k]) : want[i]));
    }
    /* x + 2^30 keeps 22 bits: an error of 1e-7 in the draws. */
    for (int i = 0; i < CHAINS * DRAWS; i++)
        y[i] = x[i] + 0x1p30;
    const sf_diagnosis b = diagnosis(y, CHAINS, DRAWS);
    CHECK_NEAR(b.mean - 0x1p30, a.mean, 1e-6);
    CHECK_CLOSE(b.sd, a.sd, 1e-6);
    CHECK_CLOSE(b.mcse_sd, a.mcse_sd, 1e-4);
    CHECK_CLOSE(b.ess_mean, a.ess_mean, 1e-4);
    /* The ends of the doubles, in turn. */
    for (int i = 0; i < CHAINS * DRAWS; i++)
        y[i] = x[i] > 0.0 ? 1.7e308 : -1.7e308;
    const sf_diagnosis c = diagnosis(y, CHAINS, DRAWS);
    CHECK_CLOSE(c.sd, 1.7e308, 0.02);
    CHECK(c.q05 == -1.7e308 && c.q95 == 1.7e308 && fabs(c.mean) < 1e308);
    CHECK(isfinite(c.rhat) && c.ess_mean > 50.0 && c.mcse_mean < 1e308);
}

TEST(numbers_are_diagnosed_apart)
{
    enum { CHAINS = 3, DRAWS = 300, DIM = 4, STRIDE = 6 };
    autoregression(x, CHAINS, DRAWS * STRIDE, 0.9, 10);
    sf_context *ctx = new_context();
    sf_diagnosis out[DIM];
    x[DRAWS * STRIDE + 2] = NAN; /* of column 2 */
    const sf_draws all = {x, CHAINS, DRAWS, DIM, STRIDE, NULL};
    CHECK_OK(ctx, sf_diagnose(ctx, &all, out));
    for (int j = 0; j < DIM; j++) {
        for (int i = 0; i < CHAINS * DRAWS; i++)
            y[i] = x[i * STRIDE + j];
        const sf_diagnosis alone = diagnosis(y, CHAINS, DRAWS);
        if (j == 2)
            CHECK(isnan(out[j].mean) && isnan(alone.mean));
        else
            CHECK(same(&alone, &out[j]) && out[j].ess_mean > 100.0);
    }
    sf_context_free(ctx);
}

/* ---- where nothing can be told ---- */

/* NaN in every field from `first` on and in none before. */
static void check_told(const sf_diagnosis *d, int told)
{
    double all[NUMBERS];
    numbers(all, d);
    for (int i = 0; i < NUMBERS; i++) {
        if (isnan(all[i]) != (i >= told))
            fprintf(stderr, "%s is %g\n", names[i], all[i]);
        CHECK(isnan(all[i]) == (i >= told));
    }
}

TEST(what_is_not_finite_tells_nothing)
{
    const double bad[] = {NAN, INFINITY, -INFINITY};
    for (int k = 0; k < 3; k++) {
        autoregression(x, 2, 50, 0.3, 1);
        x[77] = bad[k];
        const sf_diagnosis d = diagnosis(x, 2, 50);
        check_told(&d, 0);
    }
}

TEST(what_never_changes_has_no_error)
{
    const double values[] = {3.7, 0.0, -1e300, 5e-324};
    for (int k = 0; k < 4; k++) {
        for (int i = 0; i < 100; i++)
            x[i] = values[k];
        const sf_diagnosis d = diagnosis(x, 4, 25);
        check_told(&d, 5);
        CHECK(d.mean == values[k] && d.sd == 0.0 && d.q05 == values[k] &&
              d.median == values[k] && d.q95 == values[k]);
    }
    /* Zeros of both signs are one number. */
    for (int i = 0; i < 100; i++)
        x[i] = i % 3 == 0 ? -0.0 : 0.0;
    const sf_diagnosis d = diagnosis(x, 4, 25);
    check_told(&d, 5);
    /* The middle draw is in no half. */
    x[12] = 1.0;
    const sf_diagnosis middle = diagnosis(x, 4, 25);
    CHECK(middle.sd > 0.0 && isnan(middle.rhat) && isnan(middle.ess_bulk) &&
          isnan(middle.mcse_mean));
}

TEST(few_draws_tell_less)
{
    autoregression(x, 4, 12, 0.3, 2);
    const sf_diagnosis one = diagnosis(x, 1, 1), three = diagnosis(x, 4, 3);
    CHECK(one.mean == x[0] && isnan(one.sd) && one.q05 == x[0]);
    check_told(&three, 5);
    const sf_diagnosis four = diagnosis(x, 4, 4), more = diagnosis(x, 4, 11);
    CHECK(four.rhat > 0.5 && more.rhat > 0.5);
    CHECK(isnan(four.ess_bulk) && isnan(more.ess_tail) && isnan(more.mcse_sd));
    const sf_diagnosis twelve = diagnosis(x, 4, 12);
    check_told(&twelve, NUMBERS);
}

TEST(chains_that_never_move_do_not_agree)
{
    for (int i = 0; i < 400; i++)
        x[i] = 0.1 * (i / 100);
    const sf_diagnosis d = diagnosis(x, 4, 100);
    CHECK(d.rhat == INFINITY && d.ess_mean < 10.0 && d.ess_mean > 0.0);
}

/* Of two values in equal numbers, the distances from the median are all alike, and
 * so are their squares; the 95 % quantile is the largest value. */
TEST(two_values_tell_what_they_can)
{
    for (int i = 0; i < 400; i++)
        x[i] = normal(4, i) > 0.0 ? 0.3 : 0.1;
    int high = 0;
    for (int i = 0; i < 400; i++)
        high += x[i] > 0.2;
    for (int i = 0; i < 400 && high != 200; i++) {
        if (high > 200 && x[i] > 0.2) {
            x[i] = 0.1;
            high--;
        } else if (high < 200 && x[i] < 0.2) {
            x[i] = 0.3;
            high++;
        }
    }
    const sf_diagnosis d = diagnosis(x, 4, 100);
    CHECK(d.rhat > 0.99 && d.rhat < 1.05 && d.ess_bulk > 200.0);
    CHECK_CLOSE(d.ess_bulk, d.ess_mean, 1e-10);
    CHECK(d.mcse_mean > 0.0 && d.mcse_median >= 0.0);
    CHECK(isnan(d.mcse_sd) && isnan(d.ess_tail) && isnan(d.mcse_q95));
}

/* Perfect alternation: the mean is as good as it gets, n log10(n). */
TEST(alternating_draws_reach_the_bound)
{
    for (int i = 0; i < 1000; i++)
        x[i] = i % 2 == 0 ? 1.0 : -1.0;
    const sf_diagnosis d = diagnosis(x, 1, 1000);
    CHECK_CLOSE(d.ess_mean, 3000.0, 1e-14);
}

/* ---- the energy ---- */

/* Sums of squares: 4 (n - 1) over n; n - 1 over n (n^2 - 1)/12; and for
 * independent draws twice the variance over it. */
TEST(ebfmi_of_known_sequences)
{
    enum { N = 20000 };
    for (int i = 0; i < N; i++) {
        x[i] = i % 2 == 0 ? 5.0 : 7.0;
        y[i] = i;
    }
    const double n = N;
    CHECK_CLOSE(sf_ebfmi(x, N), 4.0 * (n - 1.0) / n, 1e-13);
    CHECK_CLOSE(sf_ebfmi(y, N), 12.0 / (n * (n + 1.0)), 1e-12);
    CHECK_CLOSE(sf_ebfmi(y, 4), 12.0 / 20.0, 1e-15);
    /* An autoregression: 2 (1 - phi), known to sqrt(c/n), c < 10. */
    for (int k = 0; k < 3; k++) {
        const double phi = 0.4 * k;
        autoregression(x, 1, N, phi, 6);
        const double e = sf_ebfmi(x, N);
        CHECK_NEAR(e, 2.0 * (1.0 - phi), 5.0 * sqrt(10.0 / n) * (1.0 - phi));
        for (int i = 0; i < N; i++)
            y[i] = ldexp(x[i], 1000);
        CHECK(sf_ebfmi(y, N) == e);
        for (int i = 0; i < N; i++)
            y[i] = ldexp(x[i], -900);
        CHECK(sf_ebfmi(y, N) == e);
    }
}

TEST(ebfmi_that_can_not_be_told_is_nan)
{
    double e[] = {1.0, 2.0, 4.0, 3.0, 5.0};
    CHECK(isnan(sf_ebfmi(e, 0)) && isnan(sf_ebfmi(e, 3)));
    CHECK(isfinite(sf_ebfmi(e, 4)));
    e[2] = NAN;
    CHECK(isnan(sf_ebfmi(e, 5)));
    e[2] = INFINITY;
    CHECK(isnan(sf_ebfmi(e, 5)));
    for (int i = 0; i < 5; i++)
        e[i] = 0.1;
    CHECK(isnan(sf_ebfmi(e, 5)));
}

/* ---- errors ---- */

TEST(arguments_are_checked)
{
    sf_context *ctx = new_context();
    sf_diagnosis out[2];
    const sf_draws good = {x, 2, 10, 2, 2, NULL};
    const sf_draws bad[] = {{x, 0, 10, 2, 2, NULL},
                            {x, 2, 0, 2, 2, NULL},
                            {x, 2, 10, 0, 2, NULL},
                            {x, 2, 10, 2, 1, NULL},
                            {NULL, 2, 10, 2, 2, NULL}};
    const char *const part[] = {"0 chains", "0 draws", "dim 0", "stride 1",
                                "NULL"};
    for (size_t k = 0; k < SFI_COUNT(bad); k++)
        CHECK_FAILS(ctx, sf_diagnose(ctx, &bad[k], out), SF_E_ARG, part[k]);
    CHECK_FAILS(ctx, sf_diagnose(ctx, NULL, out), SF_E_ARG, "NULL");
    CHECK_FAILS(ctx, sf_diagnose(ctx, &good, NULL), SF_E_ARG, "NULL");
    const sf_draws huge = {x, INT64_MAX / 2, 3, 1, 1, NULL};
    CHECK_FAILS(ctx, sf_diagnose(ctx, &huge, out), SF_E_NOMEM, "chains");
    sf_context_free(ctx);
}

TEST(every_allocation_may_fail)
{
    struct faults faults;
    sf_context *ctx = faulty_context(&faults);
    autoregression(x, 4, 600, 0.99, 12);
    const sf_draws d = {x, 4, 600, 1, 1, NULL};
    const sf_diagnosis want = diagnosis(x, 4, 600);
    sf_diagnosis out;
    sf_status status = SF_E_NOMEM;
    while (NEXT_FAULT(&faults, status))
        status = sf_diagnose(ctx, &d, &out);
    CHECK(faults.tries <= 10);
    CHECK(same(&out, &want));
    sf_context_free(ctx);
}

TESTS(CASE(numbers_are_those_of_posterior),
      CASE(effective_draws_of_autoregressions_are_known),
      CASE(errors_of_quantiles_of_independent_draws_are_known),
      CASE(chains_that_disagree_are_seen),
      CASE(rising_functions_change_no_rank), CASE(no_size_of_numbers_does_harm),
      CASE(numbers_are_diagnosed_apart), CASE(what_is_not_finite_tells_nothing),
      CASE(what_never_changes_has_no_error), CASE(few_draws_tell_less),
      CASE(chains_that_never_move_do_not_agree),
      CASE(two_values_tell_what_they_can),
      CASE(alternating_draws_reach_the_bound), CASE(ebfmi_of_known_sequences),
      CASE(ebfmi_that_can_not_be_told_is_nan), CASE(arguments_are_checked),
      CASE(every_allocation_may_fail))
