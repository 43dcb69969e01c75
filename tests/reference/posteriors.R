# SPDX-License-Identifier: Apache-2.0
#
# Posteriors by Stan's NUTS: the reference of tests/sample/test_posteriors.c.
#
#   Rscript posteriors.R [schools] [logistic]
#
# Prints the initialisers of the test, {mean, its standard error, sd, its
# standard error} a number, and to standard error how far the runs may be
# trusted.  Of the eight schools all means and deviations are known by one
# integral besides: given tau, the rest of the law is normal.  Stan's numbers are
# held against these.
#
# What is in the test was made with R 4.2.2, rstan 2.21.7 (Stan 2.21.0) and
# posterior 1.4.0 of Debian 12; ten minutes or so for each, with two cores.

wanted <- commandArgs(trailingOnly = TRUE)
if (length(wanted) == 0) wanted <- c("schools", "logistic")

suppressMessages(library(rstan))
suppressMessages(library(posterior))
# Debian keeps the headers where the compiler finds them.
headers <- c(boost_lib = "/usr/include", eigen_lib = "/usr/include/eigen3")
for (name in names(headers))
    if (!isTRUE(file.exists(rstan_options(name))))
        do.call(rstan_options, as.list(headers[name]))

say <- function(...) cat(sprintf(...), file = stderr())

# ---- eight schools: D. B. Rubin, J. Educational Statistics 6 (1981) 377-401 ----

schools <- list(y = c(28, 8, -3, 7, -1, 1, 18, 12),
                s = c(15, 10, 16, 11, 9, 11, 10, 18), code = "
    data { vector[8] y; vector[8] s; }
    parameters { real mu; real<lower=0> tau; vector[8] eta; }
    transformed parameters { vector[8] theta = mu + tau * eta; }
    model {
        mu ~ normal(0, 5);
        tau ~ cauchy(0, 5);
        eta ~ normal(0, 1);
        y ~ normal(theta, s);
    }")

# Given tau: y_j ~ N(mu, s_j^2 + tau^2), so mu is normal, and theta_j given mu and
# y_j too.  What is left is an integral over tau, by the trapezoid rule in
# u = log tau, whose error falls faster than any power of the step.
schools_exactly <- function() {
    u <- seq(-25, 15, by = 1 / 256)
    each <- sapply(u, function(at) {
        tau <- exp(at)
        v <- schools$s^2 + tau^2
        mu_var <- 1 / (sum(1 / v) + 1 / 25)
        mu <- mu_var * sum(schools$y / v)
        log_y <- sum(dnorm(schools$y, 0, sqrt(v), log = TRUE)) +
            mu^2 / (2 * mu_var) + 0.5 * log(mu_var) - 0.5 * log(25)
        b <- schools$s^2 / v                  # E theta_j = b mu + (1 - b) y_j
        theta <- b * mu + (1 - b) * schools$y
        theta_var <- b^2 * mu_var + tau^2 * b
        c(log_y + dcauchy(tau, 0, 5, log = TRUE) + at, mu, tau, theta,
          mu^2 + mu_var, tau^2, theta^2 + theta_var)
    })
    w <- exp(each[1, ] - max(each[1, ]))
    w <- w / sum(w)
    mean <- as.vector(each[2:11, ] %*% w)
    list(mean = mean, sd = sqrt(as.vector(each[12:21, ] %*% w) - mean^2))
}

# ---- logistic regression: numbers that a program in any language can draw --------

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

logistic_data <- function(n = 1000, k = 24) {
    b <- numeric(k)
    for (j in 1:k) b[j] <- 0.3 * normal()
    X <- matrix(1, n, k)
    y <- integer(n)
    for (i in 1:n) {
        for (j in 2:k) X[i, j] <- normal()
        y[i] <- as.integer(uniform() < plogis(sum(X[i, ] * b)))
    }
    list(n = n, k = k, X = X, y = y)
}

logistic_code <- "
    data { int n; int k; matrix[n, k] X; int y[n]; }
    parameters { vector[k] b; }
    model {
        b ~ normal(0, 1);
        y ~ bernoulli_logit_glm(X, 0, b);
    }"

# ---- runs -----------------------------------------------------------------------

run <- function(name, code, data, pars, draws, seed, accept) {
    fit <- sampling(stan_model(model_code = code), data = data, chains = 8,
                    warmup = 2000, iter = 2000 + draws, seed = seed, cores = 2,
                    refresh = 0, open_progress = FALSE, pars = pars,
                    control = list(adapt_delta = accept))
    x <- as_draws_array(extract(fit, pars = pars, permuted = FALSE))
    found <- as.data.frame(summarise_draws(x, mean, mcse_mean, sd, mcse_sd,
                                           rhat, ess_bulk))
    say("%s: %d divergences, largest R-hat %.5f, least ESS %.0f\n", name,
        get_num_divergent(fit), max(found$rhat), min(found$ess_bulk))
    cat(sprintf("static const reference %s[] = {\n", name))
    cat(sprintf("    {%.6g, %.2g, %.6g, %.2g}, /* %s */\n", found$mean,
                found$mcse_mean, found$sd, found$mcse_sd, found$variable),
        sep = "")
    cat("};\n")
    found
}

if ("schools" %in% wanted) {
    found <- run("schools", schools$code, schools[c("y", "s")],
                 c("mu", "tau", "theta"), 50000, 1981, 0.95)
    exact <- schools_exactly()
    say("from the integral, and how many standard errors Stan is off:\n")
    say("  %-9s mean %9.5f %5.2f   sd %9.5f %5.2f\n", found$variable,
        exact$mean, (found$mean - exact$mean) / found$mcse_mean, exact$sd,
        (found$sd - exact$sd) / found$mcse_sd)
}
if ("logistic" %in% wanted) {
    data <- logistic_data()
    say("sum of y %d, of X %.10f\n", sum(data$y), sum(data$X))
    invisible(run("logistic", logistic_code, data, "b", 5000, 24, 0.8))
}
