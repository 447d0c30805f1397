/*
 * html_page.mjs PAGE: the HTML report in a real browser (Debian's Chromium, driven by playwright-core). Prints one TAP line per check.
 * The page is opened from a file, with every request counted: it must make none.
 */
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(path.join(process.env.BROWSER_MODULES, "x.js"));
const { chromium } = require("playwright-core");

const checks = [];
const check = (name, good, seen) => checks.push({ name, good, seen });

const browser = await chromium.launch({
	executablePath: "/usr/bin/chromium",
	args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
const requests = [];
const problems = [];
page.on("request", (r) => requests.push(r.url()));
page.on("pageerror", (e) => problems.push(e.message));
page.on("console", (m) => ["error", "warning"].includes(m.type()) && problems.push(m.text()));
await page.goto("file://" + path.resolve(process.argv[2]));

const shown = () => page.locator("#findings-table tbody tr:not([hidden])").count();
const all = await shown();
check("the page loads nothing but itself", requests.length === 1, requests);
check("style and script are allowed by their hashes", problems.length === 0, problems);
check("no markup of the image became markup", (await page.locator("script").count()) === 1 && (await page.locator("img, iframe").count()) === 0, "");
check("findings are listed", all > 10, all);
check("it says what was not checked", await page.locator("#unchecked").isVisible(), "");

await page.fill("#f-text", "CVE-2023-44487");
const one = await shown();
check("a text filters", one >= 1 && one < all, one);
check("the number of findings is told", (await page.textContent("#count")).startsWith(one + " of " + all), await page.textContent("#count"));
check("the number is announced", (await page.getAttribute("#count", "role")) === "status", "");
await page.getByRole("button", { name: "Show all" }).click();
await page.waitForFunction((n) => document.querySelectorAll("#findings-table tbody tr:not([hidden])").length === n, all);
await page.getByLabel("known to be exploited").check();
const exploited = await shown();
check("exploited ones alone", exploited >= 1 && exploited < all, exploited);
await page.getByLabel("known to be exploited").uncheck();

const header = page.locator("#findings-table th", { hasText: "Package" });
await header.getByRole("button").focus();
await page.keyboard.press("Enter");
const column = () => page.locator("#findings-table tbody tr td:nth-child(3)").evaluateAll((cells) => cells.map((c) => c.firstChild.textContent));
const up = await column();
check("the keyboard sorts", (await header.getAttribute("aria-sort")) === "ascending" && up.every((v, i) => i === 0 || new Intl.Collator("en", { numeric: true }).compare(up[i - 1], v) <= 0), up.slice(0, 5));
await page.keyboard.press("Enter");
check("and back", (await header.getAttribute("aria-sort")) === "descending" && (await column())[0] === up[up.length - 1], (await column()).slice(0, 3));

const button = page.locator(".layer-button").first();
if (await button.count()) {
	await button.click();
	const layer = await button.getAttribute("data-layer");
	const others = await page.locator(`#findings-table tbody tr:not([hidden]):not([data-layer="${layer}"])`).count();
	check("a layer's findings alone", (await shown()) >= 1 && others === 0, others);
}
const names = await page.locator("input, select, button").evaluateAll((all) => all.filter((e) => !(e.labels?.length || e.textContent.trim())).length);
check("every control has a name", names === 0, names);
const narrow = await browser.newPage({ viewport: { width: 400, height: 800 }, javaScriptEnabled: false, colorScheme: "dark" });
await narrow.goto("file://" + path.resolve(process.argv[2]));
check("without its script the findings are there and the filters are not", (await narrow.locator("#findings-table tbody tr").count()) === all && !(await narrow.locator("#filters").isVisible()), "");
const widths = await narrow.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
check("it fits a narrow window", widths[0] <= widths[1], widths);
check("the dark follows the system", (await narrow.locator("body").evaluate((b) => getComputedStyle(b).backgroundColor)) !== "rgb(255, 255, 255)", "");
await browser.close();

console.log("1.." + checks.length);
checks.forEach((c, i) => console.log(`${c.good ? "ok" : "not ok"} ${i + 1} - ${c.name}` + (c.good ? "" : `\n# ${JSON.stringify(c.seen)}`)));
process.exitCode = checks.every((c) => c.good) ? 0 : 1;
