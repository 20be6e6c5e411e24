# Reference values of the ordinal and the binary fit without priors.
# Run from tests/reference: Rscript cumulative_logit.R
# Reads cumulative_logit_data.csv (simulated by cumulative_logit_data.py),
# writes cumulative_logit.csv and cumulative_logit_versions.txt.
suppressMessages({library(MASS); library(rms)})
d <- read.csv("cumulative_logit_data.csv")
d$level <- factor(d$level, ordered = TRUE)
p <- polr(level ~ x0 + x1 + x2, data = d, Hess = TRUE, control = list(reltol = 1e-14))
l <- lrm(as.integer(d$level) > 3 ~ x0 + x1 + x2, data = d, eps = 1e-12, tol = 1e-14)
rows <- rbind(
  data.frame(source = "polr", name = names(coef(p)), value = coef(p),
             se = sqrt(diag(vcov(p)))[1:3]),
  data.frame(source = "polr", name = paste0("cut", 0:4), value = -p$zeta,
             se = sqrt(diag(vcov(p)))[4:8]),
  data.frame(source = "lrm", name = c("cut2", "x0", "x1", "x2"), value = coef(l),
             se = sqrt(diag(vcov(l)))))
rows$value <- sprintf("%.12g", rows$value); rows$se <- sprintf("%.12g", rows$se)
write.csv(rows, "cumulative_logit.csv", row.names = FALSE, quote = FALSE)
writeLines(c(R.version.string, paste("MASS", packageVersion("MASS")),
             paste("rms", packageVersion("rms"))), "cumulative_logit_versions.txt")
