# R 4.2.2, haven 2.5.1: labelled, tagged and declared missing values, dates.
library(haven)
d <- data.frame(patient_id = c("P01", "P02", "P03", "P04"), age = c(54, 61, 47, NA))
attr(d$age, "label") <- "Âge"
d$relief_test <- c(45, 5, tagged_na("A"), NA)
d$visit <- as.Date(c("2024-01-03", "2024-02-04", NA, "2024-05-06"))
suppressWarnings(write_sas(d, "haven.sas7bdat"))
write_xpt(d, "haven_v8.xpt", version = 8)
d$relief_test <- c(45, 5, tagged_na("a"), NA)
d$sex <- labelled(c(1, 2, 1, 2), c(Homme = 1, Femme = 2))
write_dta(d[, c("patient_id", "age", "relief_test", "sex")], "haven.dta", version = 15)
d$pain_intensity <- labelled_spss(c(7, 8, -9, 99), c(refus = 99), na_values = 99,
                                  na_range = c(-Inf, -1))
d$opioid <- c(TRUE, NA, FALSE, TRUE)
d$dn4 <- c(4L, NA, 6L, 7L)
d$aetiology <- factor(c("AVC ischémique", NA, "amputation", "amputation"))
d$pain_duration <- as.difftime(c(10, 20, 30, 40), units = "weeks")
save(d, file = "haven.RData")
saveRDS(list(d, d), "haven_two.rds")
