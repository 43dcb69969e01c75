# SPDX-License-Identifier: Apache-2.0
#
# Effective samples a second of Stan's NUTS; the cases of bench/README.md.
#
#   Rscript stan_chains.R --case NAME [--chains C] [--warmup W] [--draws D]
#                         [--threads N] [--runs R]
#
# Prints one line of JSON; compiling the model is not measured.  The model and
# the numbers are those of bench_chains.c.

options <- list(case = "nuts_gauss100", chains = 4, warmup = 1000, draws = 1000,
                threads = 2, runs = 1)
given <- commandArgs(trailingOnly = TRUE)
for (i in seq(1, length(given) - 1, by = 2))
    options[[sub("^--", "", given[i])]] <- given[i + 1]
for (name in setdiff(names(options), "case"))
    options[[name]] <- as.numeric(options[[name]])

suppressMessages(library(rstan))
# Debian keeps the headers where the compiler finds them.
headers <- c(boost_lib = "/usr/include", eigen_lib = "/usr/include/eigen3")
for (name in names(headers))
    if (!isTRUE(file.exists(rstan_options(name))))
        do.call(rstan_options, as.list(headers[name]))

# S. K. Park, K. W. Miller, CACM 31 (1988) 1192-1201, and pairs by Box, Muller.
state <- 1
uniform <- function() {
    state <<- (16807 * state) %% 2147483647
    state / 2147483647
}
normal <- function() {
    r <- sqrt(-2 * log(uniform()))
    r * cos(2 * pi * uniform())
}

gauss100 <- function() {
    d <- 100
    covariance <- 0.8^abs(outer(1:d, 1:d, "-"))
    list(data = list(d = d, P = solve(covariance)), code = "
        data { int d; matrix[d, d] P; }
        parameters { vector[d] x; }
        model { target += -0.5 * dot_product(x, P * x); }")
}

logistic <- function() {
    n <- 1000
    k <- 24
    b <- numeric(k)
    for (j in 1:k) b[j] <- 0.3 * normal()
    X <- matrix(0, n, k)
    y <- integer(n)
    for (i in 1:n) {
        X[i, 1] <- 1
        for (j in 2:k)
            X[i, j] <- normal()
        y[i] <- as.integer(uniform() < plogis(sum(X[i, ] * b)))
    }
    list(data = list(n = n, k = k, X = X, y = y), code = "
        data { int n; int k; matrix[n, k] X; int y[n]; }
        parameters { vector[k] x; }
        model {
            x ~ normal(0, 1);
            y ~ bernoulli_logit_glm(X, 0, x);
        }")
}

schools <- function() {
    list(data = list(y = c(28, 8, -3, 7, -1, 1, 18, 12),
                     s = c(15, 10, 16, 11, 9, 11, 10, 18)), code = "
        data { vector[8] y; vector[8] s; }
        parameters { vector[10] x; }
        model {
            real tau = exp(x[2]);
            target += -x[1]^2 / 50 - log(1 + tau^2 / 25) + x[2]
                      - 0.5 * dot_self(x[3:10])
                      - 0.5 * dot_self((x[1] + tau * x[3:10] - y) ./ s);
        }")
}

funnel <- function() {
    list(data = list(), code = "
        parameters { vector[10] x; }
        model { target += -x[1]^2 / 18 - 0.5 * dot_self(x[2:10]); }")
}

# Ten directions of deviation 0.01 among a thousand of 1.
stiff1000 <- function() {
    d <- 1000
    U <- matrix(0, 10, d)
    for (i in 1:10) {
        row <- sapply(1:d, function(j) normal())
        for (k in seq_len(i - 1)) row <- row - sum(row * U[k, ]) * U[k, ]
        U[i, ] <- row / sqrt(sum(row^2))
    }
    list(data = list(d = d, U = U), code = "
        data { int d; matrix[10, d] U; }
        parameters { vector[d] x; }
        model {
            target += -0.5 * dot_self(x) - 4999.5 * dot_self(U * x);
        }")
}

ar500 <- function() {
    list(data = list(d = 500), code = "
        data { int d; }
        parameters { vector[d] x; }
        model {
            target += -0.5 * x[1]^2
                      - 0.5 * dot_self(x[2:d] - 0.9 * x[1:(d - 1)]) / 0.19;
        }")
}

model <- get(sub("^nuts_", "", options$case))()
# Compiling takes a minute, so it is kept.
kept <- file.path(Sys.getenv("STAN_MODELS", tempdir()),
                  paste0(options$case, ".rds"))
if (file.exists(kept)) {
    compiled <- readRDS(kept)
} else {
    compiled <- suppressMessages(stan_model(model_code = model$code))
    saveRDS(compiled, kept)
}

run <- function(seed) {
    fit <- sampling(compiled, data = model$data, chains = options$chains,
                    warmup = options$warmup,
                    iter = options$warmup + options$draws, seed = seed,
                    cores = min(options$threads, options$chains), refresh = 0,
                    open_progress = FALSE)
    draws <- extract(fit, pars = "x", permuted = FALSE)
    ess <- min(apply(draws, 3, ess_bulk))
    # A core takes its chains one after the other.
    seconds <- colSums(get_elapsed_time(fit)) / min(options$threads,
                                                    options$chains)
    leapfrogs <- sum(sapply(get_sampler_params(fit, inc_warmup = FALSE),
                            function(p) sum(p[, "n_leapfrog__"])))
    before <- sum(sapply(get_sampler_params(fit, inc_warmup = TRUE),
                         function(p) sum(p[, "n_leapfrog__"])))
    c(ess, seconds, leapfrogs, before - leapfrogs)
}

found <- sapply(seq_len(options$runs), run)
# The mean over runs of the effective samples, over the seconds of each.
ess <- mean(found[1, ])
sampling_rate <- ess / found[3, ]
with_warmup <- ess / (found[2, ] + found[3, ])
cat(sprintf(paste0(
    '{"name": "%s", "ess_per_s": %.6g, "rate": {"best": %.6g, "median": %.6g}, ',
    '"with_warmup": {"best": %.6g, "median": %.6g}, "ess": %.6g, ',
    '"seconds": %.6g, "warmup_seconds": %.6g, "gradients_per_s": %.6g, ',
    '"ess_per_gradient": %.6g, "gradients_warmup": %.6g, ',
    '"rstan": "%s"}\n'),
    options$case, median(sampling_rate), max(sampling_rate),
    median(sampling_rate), max(with_warmup), median(with_warmup),
    ess, median(found[3, ]), median(found[2, ]),
    median(found[4, ] / found[3, ]), ess / mean(found[4, ]), mean(found[5, ]),
    packageVersion("rstan")))
