# Reads lines "CASE IMPLEMENTATION NS CHECKSUM", sorted by number within each implementation, and
# from the file `counts` lines "CASE IMPLEMENTATION INSTRUCTIONS". Prints medians, ratios and
# `targets`, as a table or, if `json` is set, as one line. Ends with 1 if the checksums of a case
# differ, or if `check` is set and a target is missed.

{
  key = $1 SUBSEP $2
  ns[key, ++runs[key]] = $3
  if ($1 in checksum && checksum[$1] != $4 "") differing[$1]
  checksum[$1] = $4 ""
}

function median(key, middle) {
  if (!(key in runs)) return ""
  middle = int((runs[key] + 1) / 2)
  return runs[key] % 2 ? ns[key, middle] : (ns[key, middle] + ns[key, middle + 1]) / 2
}

function ratio(a, b) { return a == "" || b == "" || b == 0 ? "" : sprintf("%.3f", a / b) }
function whole(number) { return number == "" ? "" : sprintf("%.0f", number) }
function dash(text) { return text == "" ? "-" : text }
function null(text) { return text == "" ? "null" : text }

function row(name, a, b, c, d, e, f, g) {
  printf "%-18s %10s %10s %6s %12s %10s %6s  %s\n", name, a, b, c, d, e, f, g
}

END {
  while ((getline line < counts) > 0) {
    split(line, part, " ")
    count[part[1], part[2]] = part[3]
  }
  total = split(order, name, " ")
  split(targets, target, " ")
  if (!json) row("per iteration", "C++ ns", "Swift ns", "ratio", "C++ instr.", "Swift", "ratio",
    "target")
  for (i = 1; i <= total; i++) {
    cpp = name[i] SUBSEP "cpp"
    swift = name[i] SUBSEP "swift"
    cppNs = median(cpp)
    swiftNs = median(swift)
    measured = name[i] ~ /^ping/ ? "" : ratio(count[swift], count[cpp])
    if (measured == "") measured = target[i] ~ /ns$/ ? swiftNs : ratio(swiftNs, cppNs)
    isMissed = target[i] != "-" && measured != "" && measured + 0 > target[i] + 0
    if (isMissed) missed = missed " " name[i]
    if (json) {
      cases = cases (i > 1 ? "," : "") "{\"case\":\"" name[i] "\"" \
        ",\"cppNs\":" null(cppNs) ",\"swiftNs\":" null(swiftNs) \
        ",\"timeRatio\":" null(ratio(swiftNs, cppNs)) \
        ",\"cppInstructions\":" null(count[cpp]) ",\"swiftInstructions\":" null(count[swift]) \
        ",\"instructionRatio\":" null(ratio(count[swift], count[cpp])) \
        ",\"target\":\"" target[i] "\",\"isMissed\":" (isMissed ? "true" : "false") "}"
    } else {
      row(name[i], dash(whole(cppNs)), dash(whole(swiftNs)), dash(ratio(swiftNs, cppNs)),
        dash(count[cpp]), dash(count[swift]), dash(ratio(count[swift], count[cpp])),
        target[i] (isMissed ? " missed" : ""))
    }
  }
  for (one in differing) disagreement = disagreement " " one
  if (json) {
    printf "{\"cppVersion\":\"%s\",\"cppCompiler\":\"%s\",", version, compiler
    printf "\"swift\":\"%s\",", swift_
    printf "\"rounds\":%d,\"loadAverage\":\"%s\",", rounds, load
    printf "\"checksumsAgree\":%s,\"cases\":[%s]}\n", disagreement == "" ? "true" : "false", cases
  } else {
    print "Below 1, Swift is ahead. Medians of " rounds " alternating runs; load average " load \
      " at the start."
    print "C++: Cap'n Proto " version ", " compiler " -O2." (swift_ == "" ? "" : " " swift_ ".")
    print "Instructions are those in user space; for a ping, of client and server together."
  }
  if (disagreement != "") {
    print "run.sh: checksums differ:" disagreement > "/dev/stderr"
    exit 1
  }
  if (check && missed != "") {
    print "run.sh: targets missed:" missed > "/dev/stderr"
    exit 1
  }
}
