/* regex_re2.cc: the only file that sees RE2, and the only one in C++. No exception leaves it. */
#include "format/regex_re2.h"

#include <re2/re2.h>

#include <cstdio>
#include <exception>
#include <map>
#include <new>
#include <string>

struct regex_re2 {
	re2::RE2 re;

	regex_re2(const re2::StringPiece &pattern, const re2::RE2::Options &options) : re(pattern, options) {}
};

extern "C" enum regex_re2_result regex_re2_new(const char *pattern, size_t len, bool is_utf8, size_t memory_bytes, struct regex_re2 **ret, char *why,
					       size_t why_bytes)
try {
	re2::RE2::Options options;
	options.set_log_errors(false);
	options.set_max_mem(static_cast<int64_t>(memory_bytes));
	options.set_encoding(is_utf8 ? re2::RE2::Options::EncodingUTF8 : re2::RE2::Options::EncodingLatin1);
	regex_re2 *made = new regex_re2(re2::StringPiece(pattern, len), options);
	if (made->re.ok()) {
		*ret = made;
		return REGEX_RE2_OK;
	}
	bool too_large = made->re.error_code() == re2::RE2::ErrorPatternTooLarge;
	std::snprintf(why, why_bytes, "%s", made->re.error().c_str());
	delete made;
	return too_large ? REGEX_RE2_TOO_LARGE : REGEX_RE2_WRONG;
} catch (const std::exception &) {
	return REGEX_RE2_NO_MEMORY;
}

extern "C" void regex_re2_free(struct regex_re2 *re)
{
	delete re;
}

extern "C" size_t regex_re2_groups(const struct regex_re2 *re)
{
	int n = re->re.NumberOfCapturingGroups();
	return n > 0 ? static_cast<size_t>(n) : 0;
}

extern "C" const char *regex_re2_group_name(const struct regex_re2 *re, size_t group)
try {
	const std::map<int, std::string> &names = re->re.CapturingGroupNames();
	auto found = names.find(static_cast<int>(group));
	return found == names.end() ? nullptr : found->second.c_str();
} catch (const std::exception &) {
	return nullptr;
}

extern "C" int regex_re2_search(const struct regex_re2 *re, const char *text, size_t len, size_t from, struct regex_re2_part *parts, size_t n)
try {
	re2::StringPiece found[64];
	int wanted = static_cast<int>(n < 64 ? n : 64);
	if (!re->re.Match(re2::StringPiece(text, len), from, len, re2::RE2::UNANCHORED, found, wanted))
		return 0;
	for (int i = 0; i < wanted; i++)
		parts[i] = regex_re2_part{found[i].data(), found[i].size()};
	return 1;
} catch (const std::exception &) {
	return -1;
}
