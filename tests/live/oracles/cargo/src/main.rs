//! Lines "A B" or, with "ranges", "VERSION<tab>REQUIREMENT" -> what the crate `semver` says, one answer a line.
use semver::{Version, VersionReq};
use std::io::{stdin, BufRead};

fn order(line: &str) -> Option<&'static str> {
    let (a, b) = line.split_once(' ')?;
    let order = Version::parse(a).ok()?.cmp(&Version::parse(b).ok()?);
    Some(["<", "=", ">"][(order as i8 + 1) as usize])
}

fn holds(line: &str) -> Option<&'static str> {
    let (version, req) = line.split_once('\t')?;
    Some(if VersionReq::parse(req).ok()?.matches(&Version::parse(version).ok()?) { "y" } else { "n" })
}

fn main() {
    let ask = if std::env::args().nth(1).as_deref() == Some("ranges") { holds } else { order };
    for line in stdin().lock().lines() {
        println!("{}", ask(&line.unwrap()).unwrap_or("?"));
    }
}
