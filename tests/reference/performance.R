# Reference values for tests/test_performance*.py.
# Run in this directory: Rscript performance.R
# Writes performance_cases.csv (the data), performance.csv (the numbers),
# performance_curves.csv (flexible calibration curves) and versions.txt.
options(warn = 1, digits = 17)
suppressMessages({
  library(rms)
  library(pROC)
  library(survival)
})

set.seed(20250131)
expit <- plogis

# Named cases, none of them symmetric or centred on zero.
simulated_case <- function(n, intercept, spread, slope, shift, digits = NA) {
  truth <- rnorm(n, intercept, spread)
  outcome <- rbinom(n, 1, expit(truth))
  probability <- expit(slope * truth + shift)
  if (!is.na(digits)) probability <- pmin(pmax(round(probability, digits), 0.01), 0.99)
  relief <- 15 * truth + rnorm(n, 25, 20)
  data.frame(
    outcome = outcome, probability = probability,
    level = findInterval(relief, c(10, 20, 30, 50, 70))
  )
}
cases <- list(
  overconfident = simulated_case(193, -0.35, 1.0, 1.6, 0.45),
  tied = simulated_case(120, 0.55, 0.8, 0.7, -0.2, digits = 2),
  small = simulated_case(25, -0.1, 1.3, 1.1, 0.3),
  rare = simulated_case(400, -2.6, 0.9, 0.8, -0.3)
)


numbers <- list()
curves <- list()
note <- function(case, measure, value) {
  numbers[[length(numbers) + 1]] <<- data.frame(
    case = case, measure = measure, value = as.numeric(value)
  )
}

distances <- function(case, smoother, smoothed, p) {
  difference <- abs(smoothed - p)
  note(case, paste0("integrated_calibration_index_", smoother), mean(difference))
  note(case, paste0("e50_", smoother), median(difference))
  note(case, paste0("e90_", smoother), quantile(difference, 0.9))
  note(case, paste0("emax_", smoother), max(difference))
  note(case, paste0("estimated_calibration_index_", smoother), 100 * mean(difference^2))
}

# to the last digit: the default stops early, and vcov lags one step behind
logistic_control <- glm.control(epsilon = 1e-30, maxit = 60)

for (case in names(cases)) {
  y <- cases[[case]]$outcome
  p <- cases[[case]]$probability
  level <- cases[[case]]$level
  lp <- qlogis(p)
  n <- length(y)
  z <- qnorm(0.975)

  # rms::val.prob: C, Brier, joint intercept and slope, lowess-based errors
  v <- val.prob(p, y, pl = FALSE)
  note(case, "val.prob_C", v["C (ROC)"])
  note(case, "val.prob_Brier", v["Brier"])
  note(case, "val.prob_Intercept", v["Intercept"])
  note(case, "val.prob_Slope", v["Slope"])
  note(case, "val.prob_Emax", v["Emax"])
  note(case, "val.prob_E90", v["E90"])
  note(case, "val.prob_Eavg", v["Eavg"])

  # stats::glm to full precision, Wald intervals
  joint <- summary(glm(y ~ lp, family = binomial, control = logistic_control))$coefficients
  note(case, "joint_calibration_intercept", joint[1, 1])
  note(case, "joint_calibration_intercept_se", joint[1, 2])
  note(case, "calibration_slope", joint[2, 1])
  note(case, "calibration_slope_se", joint[2, 2])
  large <- summary(glm(y ~ offset(lp), family = binomial, control = logistic_control))$coefficients
  note(case, "calibration_in_the_large", large[1, 1])
  note(case, "calibration_in_the_large_se", large[1, 2])

  # pROC: c-statistic with DeLong interval
  r <- roc(y, p, direction = "<", levels = c(0, 1), quiet = TRUE)
  note(case, "c_statistic", as.numeric(auc(r)))
  note(case, "c_statistic_variance", var(r, method = "delong"))
  ci <- as.numeric(ci.auc(r, method = "delong"))
  note(case, "c_statistic_lower", ci[1])
  note(case, "c_statistic_upper", ci[3])

  # survival::concordance of an ordered level with the probability
  ordinal <- concordance(level ~ p)
  note(case, "ordinal_concordance", ordinal$concordance)
  note(case, "ordinal_concordance_variance", ordinal$var)

  # by the definition, in R
  note(case, "log_loss", -mean(dbinom(y, 1, p, log = TRUE)))
  note(case, "scaled_brier_score", 1 - mean((y - p)^2) / mean((y - mean(y))^2))
  note(case, "observed_expected_ratio", sum(y) / sum(p))

  # stats::loess with its defaults, evaluated directly (Austin and Steyerberg)
  fit_loess <- function(values) {
    loess(values ~ p, span = 0.75, degree = 2, surface = "direct")
  }
  grid <- seq(quantile(p, 0.05), quantile(p, 0.95), length.out = 9)
  smoothed <- predict(fit_loess(y), newdata = data.frame(p = p))
  distances(case, "loess", smoothed, p)
  at_grid <- predict(fit_loess(y), newdata = data.frame(p = grid))
  # rows of the linear smoother, one unit vector at a time, for Wilson's band
  operator <- sapply(seq_len(n), function(i) {
    predict(fit_loess(as.numeric(seq_len(n) == i)), newdata = data.frame(p = grid))
  })
  bounded <- pmin(pmax(at_grid, 0), 1)
  patients <- 1 / rowSums(operator^2)
  wilson <- Hmisc::binconf(bounded * patients, patients, method = "wilson")
  curves[[length(curves) + 1]] <- data.frame(
    case = case, smoother = "loess", probability = grid, observed = bounded,
    lower = wilson[, "Lower"], upper = wilson[, "Upper"], row.names = NULL
  )

  # stats::lowess as rms::val.prob calls it
  low <- lowess(p, y, iter = 0)
  low_at <- approx(low, xout = p, ties = function(x) x[1])$y
  distances(case, "lowess", low_at, p)

  # logistic regression on a restricted cubic spline of the linear predictor
  n_knots <- if (n < 100) 3 else 4
  if (length(unique(lp)) > 2 * n_knots) {
    knots <- rcspline.eval(lp, nk = n_knots, knots.only = TRUE)
    basis <- rcspline.eval(lp, knots = knots, inclx = TRUE)
    spline <- glm(y ~ basis, family = binomial, control = logistic_control)
    distances(case, "spline", fitted(spline), p)
    design <- cbind(1, rcspline.eval(qlogis(grid), knots = knots, inclx = TRUE))
    link <- as.numeric(design %*% coef(spline))
    se <- sqrt(rowSums((design %*% vcov(spline)) * design))
    curves[[length(curves) + 1]] <- data.frame(
      case = case, smoother = "spline", probability = grid, observed = expit(link),
      lower = expit(link - z * se), upper = expit(link + z * se)
    )
    note(case, "spline_deviance", deviance(spline))
  }
}

# Hmisc::binconf: Wilson's interval of a proportion
for (counts in list(c(17, 36), c(0, 12), c(3, 3), c(43, 71))) {
  wilson <- Hmisc::binconf(counts[1], counts[2], method = "wilson")
  name <- paste0("wilson_", counts[1], "_", counts[2])
  note(name, "lower", wilson[2])
  note(name, "upper", wilson[3])
}

full <- function(frame) {
  for (column in names(frame)) {
    if (is.numeric(frame[[column]]) && !is.integer(frame[[column]])) {
      frame[[column]] <- sprintf("%.17g", frame[[column]])
    }
  }
  frame
}
data <- do.call(rbind, lapply(names(cases), function(case) {
  data.frame(case = case, cases[[case]])
}))
save_table <- function(frame, file) {
  write.csv(full(frame), file, row.names = FALSE, quote = FALSE)
}
save_table(data, "performance_cases.csv")
save_table(do.call(rbind, numbers), "performance.csv")
save_table(do.call(rbind, curves), "performance_curves.csv")
packages <- c("rms", "Hmisc", "pROC", "survival", "stats")
writeLines(
  c(
    R.version.string,
    sapply(packages, function(p) paste(p, as.character(packageVersion(p))))
  ),
  "versions.txt"
)
