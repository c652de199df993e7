#include "CRE2.h"

#include <re2/re2.h>

#include <new>
#include <string>
#include <vector>

struct tc_re2 {
    RE2 expression;
    tc_re2(re2::StringPiece pattern, const RE2::Options &options) : expression(pattern, options) {}
};

tc_re2 *tc_re2_compile(const char *pattern, size_t length) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_dot_nl(true);
    return new tc_re2(re2::StringPiece(pattern, length), options);
}

void tc_re2_free(tc_re2 *expression) { delete expression; }

const char *tc_re2_error(const tc_re2 *expression) {
    return expression->expression.ok() ? nullptr : expression->expression.error().c_str();
}

int tc_re2_group_count(const tc_re2 *expression) { return expression->expression.NumberOfCapturingGroups(); }

int tc_re2_group_index(const tc_re2 *expression, const char *name, size_t length) {
    const auto &groups = expression->expression.NamedCapturingGroups();
    auto found = groups.find(std::string(name, length));
    return found == groups.end() ? -1 : found->second;
}

bool tc_re2_full_match(const tc_re2 *expression, const char *text, size_t length) {
    re2::StringPiece subject(text ? text : "", length);
    return expression->expression.Match(subject, 0, length, RE2::ANCHOR_BOTH, nullptr, 0);
}

bool tc_re2_match(
    const tc_re2 *expression, const char *text, size_t length, size_t start, bool anchored, ptrdiff_t *bounds,
    int count) {
    re2::StringPiece subject(text ? text : "", length);
    std::vector<re2::StringPiece> groups(count);
    auto anchor = anchored ? RE2::ANCHOR_BOTH : RE2::UNANCHORED;
    if (!expression->expression.Match(subject, start, length, anchor, groups.data(), count)) return false;
    for (int i = 0; i < count; i++) {
        if (groups[i].data() == nullptr) {
            bounds[2 * i] = bounds[2 * i + 1] = -1;
        } else {
            bounds[2 * i] = groups[i].data() - subject.data();
            bounds[2 * i + 1] = bounds[2 * i] + static_cast<ptrdiff_t>(groups[i].size());
        }
    }
    return true;
}
