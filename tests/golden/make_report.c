/*
 * make_report.c: writes one fixed report, which has every field, hostile bytes and wide characters, in a given format:
 *
 *     make-report FORMAT [WIDTH [colour|by-layer|licenses|all-packages|empty]...]
 *
 * The golden files beside this one are what came out when a person last looked at it.
 */
#include "report/writer.h"

#include <unistd.h>

#define S(text) BH_SLICE_LIT(text)
#define OUT_BYTES_MAX (16u << 20)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct bh_location evil_also[] = {
	{ .path = S("srv/app.war"), .inner = S("WEB-INF/lib/a.jar!/b.jar"), .layer = 1, .evidence = BH_EVIDENCE_CONTENT },
};

static struct bh_package packages[] = {
	{ .type = S("deb"), .name = S("bash"), .version = S("5.2.15-2+b2"), .arch = S("amd64"), .source_version = S("5.2.15-2"), .license = S("GPL-3+"), .spdx = S("GPL-3.0-or-later"), .reach = BH_REACH_NO_CODE,
	  .at.path = S("var/lib/dpkg/status"), .at.layer = 0 },
	{ .type = S("deb"), .name = S("libc-bin"), .version = S("2.36-9"), .arch = S("amd64"), .source_name = S("glibc"), .at.path = S("var/lib/dpkg/status"),
	  .at.layer = 0 },
	{ .type = S("deb"), .name = S("libc6"), .version = S("2.36-9"), .arch = S("amd64"), .source_name = S("glibc"), .at.path = S("var/lib/dpkg/status"),
	  .at.layer = 0, .vendor = S("GNU Libc Maintainers <debian-glibc@lists.debian.org>") },
	{ .type = S("deb"), .name = S("libc6"), .version = S("2.36-9"), .arch = S("i386"), .source_name = S("glibc"), .at.path = S("var/lib/dpkg/status"),
	  .at.layer = 0 },
	{ .type = S("deb"), .name = S("libssl3"), .version = S("3.0.9-1"), .arch = S("amd64"), .source_name = S("openssl"),
	  .at.path = S("var/lib/dpkg/status"), .at.layer = 1 },
	{ .type = S("deb"), .name = S("libwebp7"), .version = S("1.2.4-0.2"), .arch = S("amd64"), .source_name = S("libwebp"),
	  .at.path = S("var/lib/dpkg/status"), .at.layer = 1 },
	{ .type = S("deb"), .name = S("openssl"), .version = S("3.0.9-1"), .arch = S("amd64"), .at.path = S("var/lib/dpkg/status"), .at.layer = 1 },
	{ .type = S("npm"), .name = S("evil\x1b[2J\xff\xe2\x80\xae"), .version = S("1.0\n"), .at.path = S("srv/\xe8\x88\xb9\xe8\x88\xb6/package.json"),
	  .at.layer = 1, .at.line = 33, .at.evidence = BH_EVIDENCE_LOCKFILE, .scope = BH_SCOPE_OPTIONAL, .also = evil_also, .n_also = 1,
	  .owner = S("pkg:deb/debian/node-evil@1.0-1"), .sha1 = S("da39a3ee5e6b4b0d3255bfef95601890afd80709") },
	{ .type = S("rpm"), .name = S("kernel-\xe4\xb8\xad\xe6\x96\x87\xe5\x8c\x85\xe5\x90\x8d\xe5\xad\x97\xe5\xbe\x88\xe9\x95\xbf-modules-extra-matched"),
	  .version = S("2:5.14.0-427.13.1.el9_4"), .arch = S("x86_64"), .modularity = S("kernel:5:9:abc"), .vendor = S("Example"),
	  .license = S("GPL-2.0-only AND \"quoted\""), .at.path = S("var/lib/rpm/rpmdb.sqlite"), .at.layer = BH_NO_LAYER },
};

static struct bh_slice openssl_fix[] = { S("3.0.9-1+deb12u2") }, openssl_later[] = { S("3.0.18-1~deb12u1"), S("3.1.0-1") }, webp_fix[] = { S("1.2.4-0.2+deb12u1") },
		       glibc_fix[] = { S("2.36-9+deb12u7") }, evil_fix[] = { S("1.0.1\x07") };
static struct bh_slice webp_aliases[] = { S("DSA-5497-2"), S("GHSA-j7hp-h8jx-5ppr") };

static struct bh_finding finding(enum bh_severity severity, const char *id, const struct bh_package *p)
{
	return (struct bh_finding){ .class = BH_CLASS_VULNERABILITY, .id = bh_slice_str(id), .severity = severity, .state = BH_STATE_AFFECTED, .package = p,
				    .layer = p ? p->at.layer : BH_NO_LAYER, .source = S("debian-changelogs") };
}

static struct bh_finding fixed(enum bh_severity severity, const char *id, const struct bh_package *p, struct bh_slice *versions, size_t n)
{
	struct bh_finding f = finding(severity, id, p);
	f.state = BH_STATE_FIXED;
	f.fixed = versions;
	f.n_fixed = n;
	return f;
}

static void add(struct bh_report *r, struct bh_finding f)
{
	(void)bh_finding_vec_push(&r->findings, f);
}

static void add_openssl(struct bh_report *r, const struct bh_package *p)
{
	static const char *const high[] = { "CVE-2023-5363", "CVE-2024-4741", "CVE-2024-5535", "CVE-2024-6119", "CVE-2025-9230" };
	static const char *const medium[] = { "CVE-2023-3446", "CVE-2023-3817", "CVE-2023-5678", "CVE-2023-6129", "CVE-2024-0727", "CVE-2024-13176" };
	for (size_t i = 0; i < COUNT(high); i++)
		add(r, fixed(BH_SEV_HIGH, high[i], p, i ? openssl_later : openssl_fix, i ? 2 : 1));
	for (size_t i = 0; i < COUNT(medium); i++)
		add(r, fixed(BH_SEV_MEDIUM, medium[i], p, openssl_fix, 1));
	struct bh_finding f = finding(BH_SEV_LOW, "CVE-2025-27587", p);
	f.state = BH_STATE_POSTPONED;
	add(r, f);
}

static void add_findings(struct bh_report *r)
{
	struct bh_package *p = r->packages.ptr;
	struct bh_finding f = fixed(BH_SEV_CRITICAL, "CVE-2023-4863", &p[5], webp_fix, 1);
	f.aliases = webp_aliases;
	f.n_aliases = COUNT(webp_aliases);
	f.title = S("Heap buffer overflow in libwebp");
	f.kev = f.kev_ransomware = f.has_epss = true;
	f.kev_date = S("2023-09-13");
	f.epss_score = 61432;
	f.epss_percentile = 65501;
	f.cvss = (struct bh_cvss){ S("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H"), 88 };
	f.evidence = S("source libwebp 1.2.4-0.2 < 1.2.4-0.2+deb12u1");
	f.fix = S("upgrade libwebp7 to 1.2.4-0.2+deb12u1");
	add(r, f);
	add_openssl(r, &p[4]);
	add_openssl(r, &p[6]);
	for (size_t i = 1; i <= 3; i++) {
		add(r, fixed(BH_SEV_HIGH, "CVE-2023-4911", &p[i], glibc_fix, 1));
		f = finding(BH_SEV_NEGLIGIBLE, "CVE-2019-1010022", &p[i]);
		f.state = BH_STATE_IGNORED;
		add(r, f);
	}
	f = finding(BH_SEV_UNKNOWN, "CVE-2025-00001", &p[0]);
	f.state = BH_STATE_UNDETERMINED;
	add(r, f);
	add(r, fixed(BH_SEV_UNKNOWN, "X-\x1b]0;owned\x07", &p[7], evil_fix, 1));
	f = finding(BH_SEV_MEDIUM, "CVE-2024-26581", &p[8]);
	f.state = BH_STATE_END_OF_LIFE;
	f.layer = BH_NO_LAYER;
	add(r, f);
}

static void add_other_findings(struct bh_report *r)
{
	struct bh_finding f = finding(BH_SEV_HIGH, "debian-12-end-of-life", NULL);
	f.class = BH_CLASS_END_OF_LIFE;
	f.title = S("Debian 12 (bookworm) gets no more security updates from the security team since 2026-06-10; LTS lasts until 2028-06-30");
	f.fix = S("rebuild on Debian 13 (trixie)");
	add(r, f);
	f = finding(BH_SEV_CRITICAL, "aws-secret-key", NULL);
	f.class = BH_CLASS_SECRET;
	f.path = S("root/.aws/credentials");
	f.line = 3;
	f.layer = 1;
	f.title = S("AWS secret access key");
	f.evidence = S("aws_secret_access_key = wJal\xe2\x80\xa6");
	add(r, f);
}

static void add_target(struct bh_report *r)
{
	r->target = (struct bh_target){ .text = S("images/shop \xf0\x9f\x9a\xa2.tar"), .kind = S("archive"), .reference = S("example.com/shop:1.4"), .os = S("linux"),
					.architecture = S("arm64"), .variant = S("v8"), .created = S("2023-07-30T06:46:19Z"),
					.distro = { .id = S("debian"), .version_id = S("12"), .codename = S("bookworm"), .name = S("Debian GNU/Linux 12 (bookworm)"),
						    .path = S("usr/lib/os-release"), .rank = 100 } };
	(void)bh_digest_parse(S("sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"), &r->target.digest);
	(void)bh_digest_parse(S("sha256:fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"), &r->target.config_digest);
	struct bh_layer l = { .media_type = S("application/vnd.oci.image.layer.v1.tar+gzip"), .created_by = S("/bin/sh -c #(nop) ADD file:85e0\tin / "),
			      .instruction = S("ADD file:85e0\tin /"), .base = true, .size_bytes = 49581124, .unpacked_bytes = 129184768, .entries = 8230 };
	(void)bh_digest_parse(S("sha256:1111111111111111111111111111111111111111111111111111111111111111"), &l.digest);
	(void)bh_digest_parse(S("sha256:2222222222222222222222222222222222222222222222222222222222222222"), &l.diff_id);
	(void)bh_layer_vec_push(&r->layers, l);
	l = (struct bh_layer){ .size_bytes = 912, .unpacked_bytes = 2048, .entries = 3, .skipped = true, .created_by = S("RUN /bin/sh -c apt-get -y install libwebp7 # buildkit"),
			       .instruction = S("RUN apt-get -y install libwebp7"), .dockerfile_line = 3 };
	(void)bh_digest_parse(S("sha256:3333333333333333333333333333333333333333333333333333333333333333"), &l.diff_id);
	(void)bh_layer_vec_push(&r->layers, l);
}

static void add_notes(struct bh_report *r)
{
	bh_report_incomplete(r, "layer", S("sha256:333333333333"), 1, "the sandboxed child was killed: it used more than 1,024 MiB of memory");
	bh_report_incomplete(r, "package-database", S("var/lib/rpm/\x9bPackages"), BH_NO_LAYER, "page 17 points at itself");
	bh_report_incomplete(r, "data", S(""), BH_NO_LAYER, "the newest advisory data is 96 days old");
	(void)bh_not_covered_vec_push(&r->not_covered, (struct bh_not_covered){ .ecosystem = S("npm"), .packages = 1 });
	(void)bh_not_covered_vec_push(&r->not_covered,
				      (struct bh_not_covered){ .ecosystem = S("Debian:12"), .note = S("fixed versions only; open issues are not in the data"), .packages = 7, .partial = true });
	(void)bh_data_vec_push(&r->data, (struct bh_data_source){ .name = S("debian-changelogs"), .date = S("2026-11-20"), .origin = S("embedded"), .records = 61804,
								  .licence = S("CC0-1.0") });
	(void)bh_data_vec_push(&r->data, (struct bh_data_source){ .name = S("kev"), .origin = S("user"), .records = 1,
								  .sha256 = S("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") });
	r->hidden[BH_HIDDEN_SEVERITY] = 12;
	r->not_affected = 1234;
	r->generated = S("2026-11-24T10:00:00Z");
}

static void add_rulings(struct bh_report *r)
{
	struct bh_package *p = r->packages.ptr;
	struct bh_finding f = fixed(BH_SEV_HIGH, "CVE-2022-0001", &p[0], glibc_fix, 1);
	f.ruling = (struct bh_ruling){ .kind = BH_RULING_EXCEPTION, .reason = S("the shell is never started"), .who = S("team-shop"), .until = S("2027-01-31"),
				       .from = S("bulkhead.yaml:12") };
	(void)bh_finding_vec_push(&r->suppressed, f);
	f = fixed(BH_SEV_MEDIUM, "CVE-2022-0002", &p[7], evil_fix, 1);
	f.ruling = (struct bh_ruling){ .kind = BH_RULING_VEX, .status = S("not_affected"), .justification = S("vulnerable_code_not_present"),
				       .reason = S("we build without \x1b[1mit"), .who = S("Shop <sec@example.com>"), .from = S("shop.openvex.json") };
	(void)bh_finding_vec_push(&r->suppressed, f);
	r->hidden[BH_HIDDEN_EXCEPTION] = r->hidden[BH_HIDDEN_VEX] = 1;
	(void)bh_exception_vec_push(&r->exceptions, (struct bh_exception){ .id = S("CVE-2022-*"), .package = S("bash"), .reason = S("the shell is never started"),
									   .owner = S("team-shop"), .expires = S("2027-01-31"), .from = S("bulkhead.yaml:12"), .matched = 1 });
	(void)bh_exception_vec_push(&r->exceptions, (struct bh_exception){ .id = S("CVE-2021-44228"), .path = S("srv/**"), .reason = S("no log4j here"), .owner = S("bob"),
									   .expires = S("2026-01-31"), .from = S("bulkhead.yaml:17"), .expired = true });
	(void)bh_vex_vec_push(&r->vex, (struct bh_vex_document){ .from = S("shop.openvex.json"), .format = S("openvex"), .author = S("Shop <sec@example.com>"),
								 .id = S("https://example.com/vex/1"), .date = S("2026-11-01T00:00:00Z"), .statements = 3, .matched = 1 });
}

static void add_image_facts(struct bh_report *r)
{
	r->base = (struct bh_base_image){ .name = S("docker.io/library/debian:12"), .evidence = S("label"), .n_layers = 1,
					  .digest = S("sha256:4444444444444444444444444444444444444444444444444444444444444444") };
	r->dockerfile = S("shop/Dockerfile");
	(void)bh_label_vec_push(&r->labels, (struct bh_label){ S("org.opencontainers.image.base.name"), S("docker.io/library/debian:12") });
	(void)bh_history_vec_push(&r->history, (struct bh_history){ .created_by = S("/bin/sh -c #(nop) ADD file:85e0\tin / "), .created = S("2023-07-01T00:00:00Z") });
	(void)bh_history_vec_push(&r->history, (struct bh_history){ .created_by = S("CMD [\"bash\"]"), .layer = BH_NO_LAYER });
	(void)bh_history_vec_push(&r->history, (struct bh_history){ .created_by = S("RUN /bin/sh -c apt-get -y install libwebp7 # buildkit"),
								    .comment = S("buildkit.dockerfile.v0"), .layer = 1 });
}

/* After sorting: changes point at findings by index. The first of each package's are enough here. */
static void add_changes(struct bh_report *r)
{
	static uint32_t glibc[8], webp[1];
	struct bh_change base = { .kind = BH_CHANGE_BASE_IMAGE, .what = S("docker.io/library/debian:12"), .path = S("shop/Dockerfile"), .line = 1, .layer = 0,
				  .action = S("rebuild on a newer docker.io/library/debian:12"), .findings = glibc };
	struct bh_change package = { .kind = BH_CHANGE_PACKAGE, .what = S("libwebp"), .type = S("deb"), .from = S("1.2.4-0.2"), .to = S("1.2.4-0.2+deb12u1"), .layer = 1,
				     .action = S("upgrade libwebp7 to 1.2.4-0.2+deb12u1"), .findings = webp, .n_findings = 1, .by_severity[BH_SEV_CRITICAL] = 1, .kev = 1 };
	for (uint32_t i = 0; i < r->findings.len; i++) {
		const struct bh_finding *f = &r->findings.ptr[i];
		if (bh_slice_eq_str(f->id, "CVE-2023-4911"))
			glibc[base.n_findings++] = i;
		if (bh_slice_eq_str(f->id, "CVE-2023-4863"))
			webp[0] = i;
	}
	base.by_severity[BH_SEV_HIGH] = base.n_findings;
	(void)bh_change_vec_push(&r->changes, package);
	(void)bh_change_vec_push(&r->changes, base);
}

static void add_baseline(struct bh_report *r)
{
	r->baseline = (struct bh_baseline_summary){ .text = S("archive:shop-1.3.tar"), .digest = r->target.config_digest, .gone = 4, .worse = 1 };
	for (size_t i = 0; i < r->findings.len; i++) {
		struct bh_finding *f = &r->findings.ptr[i];
		f->baseline = i == 1 ? BH_BASELINE_WORSE : f->severity == BH_SEV_MEDIUM ? BH_BASELINE_UNCHANGED : BH_BASELINE_NEW;
		f->baseline_note = i == 1 ? S("severity was low") : (struct bh_slice){ 0 };
		r->baseline.added += f->baseline == BH_BASELINE_NEW;
		r->baseline.unchanged += f->baseline == BH_BASELINE_UNCHANGED;
	}
}

/* Enough of an order for the versions above: longer runs of digits are larger. */
static bool compare_versions(struct bh_slice type, struct bh_slice a, struct bh_slice b, int *ret)
{
	(void)type;
	*ret = a.len != b.len ? (a.len > b.len ? 1 : -1) : bh_slice_cmp(a, b);
	return true;
}

static void fill(struct bh_report *r)
{
	for (size_t i = 0; i < COUNT(packages); i++)
		(void)bh_package_vec_push(&r->packages, packages[i]);
	add_target(r);
	add_findings(r);
	add_other_findings(r);
	add_notes(r);
	add_rulings(r);
	add_image_facts(r);
	bh_report_sort_findings(r);
	add_changes(r);
	add_baseline(r);
	bh_report_decide(r, false, BH_SEV_HIGH);
}

int main(int argc, char **argv)
{
	const struct report_writer *writer = argc > 1 ? report_writer_find(bh_slice_str(argv[1])) : NULL;
	struct report_style style = { .tool_version = "0.0.0", .compare_versions = compare_versions };
	uint64_t width = 0;
	bool empty = false;
	if (!writer || (argc > 2 && !bh_slice_u64(bh_slice_str(argv[2]), 1000, &width)))
		return fprintf(stderr, "usage: %s FORMAT [WIDTH [colour|by-layer|licenses|all-packages|empty]...]\n", argv[0]), 2;
	style.width = (size_t)width;
	for (int i = 3; i < argc; i++) {
		style.colour = style.colour || strcmp(argv[i], "colour") == 0;
		style.by_layer = style.by_layer || strcmp(argv[i], "by-layer") == 0;
		style.licenses = style.licenses || strcmp(argv[i], "licenses") == 0;
		style.all_packages = style.all_packages || strcmp(argv[i], "all-packages") == 0;
		empty = empty || strcmp(argv[i], "empty") == 0;
	}
	struct bh_report r;
	struct bh_buf out;
	struct bh_err err = { 0 };
	bh_report_init(&r);
	bh_buf_init(&out, OUT_BYTES_MAX);
	if (empty) {
		r.target = (struct bh_target){ .text = S("dir:/empty"), .kind = S("dir") };
		bh_report_decide(&r, false, BH_SEV_HIGH);
	} else {
		fill(&r);
	}
	int rc = writer->write(&r, &style, &out, &err);
	if (rc < 0)
		fprintf(stderr, "%s\n", err.text);
	else if (write(STDOUT_FILENO, out.ptr, out.len) != (ssize_t)out.len)
		rc = BH_EIO;
	bh_buf_done(&out);
	bh_report_done(&r);
	return rc < 0;
}
