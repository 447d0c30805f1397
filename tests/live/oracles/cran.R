# Lines "A B" -> what R says, one answer a line.
lines <- strsplit(readLines(file("stdin")), " ", fixed = TRUE)
a <- numeric_version(vapply(lines, `[`, "", 1), strict = FALSE)
b <- numeric_version(vapply(lines, `[`, "", 2), strict = FALSE)
unknown <- is.na(a) | is.na(b)
cat(ifelse(unknown, "?", ifelse(a < b, "<", ifelse(a > b, ">", "="))), sep = "\n")
