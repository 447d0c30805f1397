#!/usr/bin/env python3
"""Compare what we read from jars, wars and pom.xml with `mvn dependency:list`.

usage: java_packages.py PKG-PROBE

A small web application of well-known libraries, many of which have no pom.properties, is built by Maven as a war, as a jar with all
libraries in it (as Spring Boot lays them out) and as a shaded jar. Both ways equal: every artifact that Maven resolved, what those have
merged into themselves (netty-common brings jctools, which Maven does not know), and no other. Exit code 77: no mvn, or no artifacts.
"""
import hashlib
import io
import os
import re
import subprocess
import sys
import tempfile
import zipfile

CACHE = os.environ.get("BULKHEAD_TEST_CACHE", "/var/cache/bulkhead-tests")
DEPENDENCIES = """org.springframework:spring-webmvc:5.3.30 com.fasterxml.jackson.core:jackson-databind:2.15.2 org.apache.commons:commons-lang3:3.12.0
com.google.guava:guava:31.1-jre org.apache.logging.log4j:log4j-core:2.17.1 org.apache.logging.log4j:log4j-1.2-api:2.17.1 org.slf4j:slf4j-api:1.7.36
ch.qos.logback:logback-classic:1.2.11 org.yaml:snakeyaml:1.33 commons-io:commons-io:2.11.0 commons-collections:commons-collections:3.2.2
org.apache.tomcat.embed:tomcat-embed-core:9.0.80 org.apache.httpcomponents:httpclient:4.5.13 com.thoughtworks.xstream:xstream:1.4.20
org.postgresql:postgresql:42.6.0 com.mysql:mysql-connector-j:8.1.0 com.h2database:h2:2.2.220 io.netty:netty-codec-http:4.1.94.Final
org.hibernate.validator:hibernate-validator:6.2.5.Final""".split()
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>com.example</groupId><artifactId>shop</artifactId><version>1.2.0</version><packaging>war</packaging>
  <properties><maven.compiler.source>11</maven.compiler.source><maven.compiler.target>11</maven.compiler.target>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
%s  </properties>
  <dependencies>
%s    <dependency><groupId>junit</groupId><artifactId>junit</artifactId><version>4.13.2</version><scope>test</scope></dependency>
  </dependencies>
  <build><plugins>
    <plugin><groupId>org.apache.maven.plugins</groupId><artifactId>maven-war-plugin</artifactId><version>3.4.0</version>
      <configuration><failOnMissingWebXml>false</failOnMissingWebXml></configuration></plugin>
    <plugin><groupId>org.apache.maven.plugins</groupId><artifactId>maven-shade-plugin</artifactId><version>3.5.0</version>
      <executions><execution><phase>package</phase><goals><goal>shade</goal></goals>
        <configuration><outputFile>${project.build.directory}/shop-1.2.0-all.jar</outputFile></configuration></execution></executions></plugin>
  </plugins></build>
</project>
"""
failures = []


def check(what, got, want):
    if sorted(got) != sorted(want):
        failures.append(what)
        print(f"FAILED: {what}\n  only ours: {sorted(set(got) - set(want))}\n  only Maven's: {sorted(set(want) - set(got))}")
    else:
        print(f"{what}: {len(want)} artifacts")


def mvn(*args, cwd):
    command = ["mvn", "-q", "-B", "-ntp", f"-Dmaven.repo.local={CACHE}/m2", *args]
    r = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if r.returncode:
        text = r.stdout.decode()
        print(f"mvn {' '.join(args)}: {text[-1500:]}")
        sys.exit(77 if "Could not transfer" in text or "Unknown host" in text else 1)


def rows(probe, parser, path, file):
    out = subprocess.run([probe, parser, path, file], check=True, stdout=subprocess.PIPE).stdout.decode()
    for line in out.splitlines():
        if line.startswith("incomplete"):
            failures.append(line)
            print(f"FAILED: {path}: {line}")
    return [line.split("\t") for line in out.splitlines() if line.startswith("package\t")]


def ours(probe, parser, path, file):
    return {(r[2], r[3]) for r in rows(probe, parser, path, file)}


def listed(cwd):
    """Builds, and what `mvn dependency:list` says of the runtime's artifacts: group:artifact, version."""
    mvn("package", "dependency:list", "-DincludeScope=runtime", "-DoutputFile=list.txt", "-Dsilent=true", cwd=cwd)
    found = set()
    for line in open(f"{cwd}/list.txt"):
        m = re.match(r"\s+([^:\s]+):([^:]+):([^:]+):(?:([^:]+):)?([^:]+):(compile|runtime|test|provided)", line)
        if m:
            found.add((f"{m[1]}:{m[2]}", m[5]))
    return found


def merged(war):
    """Artifacts that libraries of the war have a pom.properties of, besides their own."""
    found = set()
    with zipfile.ZipFile(war) as z:
        for name in z.namelist():
            if not name.endswith(".jar"):
                continue
            with zipfile.ZipFile(io.BytesIO(z.read(name))) as lib:
                poms = [n for n in lib.namelist() if n.startswith("META-INF/maven/") and n.endswith("/pom.properties")]
                for pom in poms if len(poms) > 1 else []:
                    group, artifact = pom.split("/")[2:4]
                    version = re.search(r"^version=(.*)$", lib.read(pom).decode(), re.M)[1].strip()
                    found.add((f"{group}:{artifact}", version))
    return found


def boot_jar(war, out):
    """The war's libraries as Spring Boot's plug-in puts them into a jar: not compressed, behind a script that starts it."""
    with open(out, "wb") as f:
        f.write(b"#!/bin/bash\nexec java -jar \"$0\"\n")
        with zipfile.ZipFile(war) as src, zipfile.ZipFile(f, "w") as z:
            for i in src.infolist():
                name = i.filename.replace("WEB-INF/lib/", "BOOT-INF/lib/")
                z.writestr(name, src.read(i), zipfile.ZIP_STORED if name.endswith(".jar") else zipfile.ZIP_DEFLATED)


def main():
    probe = os.path.abspath(sys.argv[1])
    try:
        subprocess.run(["mvn", "-v"], check=True, stdout=subprocess.DEVNULL)
    except OSError as e:
        print(f"no mvn here: {e}")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as d:
        properties = dependencies = ""
        for n, one in enumerate(DEPENDENCIES):
            group, artifact, version = one.split(":")
            properties += f"    <v{n}>{version}</v{n}>\n" if n % 2 else ""
            dependencies += (f"    <dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
                             f"<version>{'${v%d}' % n if n % 2 else version}</version></dependency>\n")
        os.makedirs(f"{d}/src/main/java")
        with open(f"{d}/pom.xml", "w") as f:
            f.write(POM % (properties, dependencies))
        with open(f"{d}/src/main/java/A.java", "w") as f:
            f.write("public class A { public static void main(String[] a) { System.out.println(1); } }\n")
        runtime, war = listed(d), f"{d}/target/shop-1.2.0.war"
        expected = runtime | merged(war) | {("com.example:shop", "1.2.0")}
        check("war", ours(probe, "java_archive", "opt/shop-1.2.0.war", war), expected)
        boot_jar(war, f"{d}/boot.jar")
        check("jar with jars", ours(probe, "java_archive", "app.jar", f"{d}/boot.jar"), expected)
        shaded = f"{d}/target/shop-1.2.0-all.jar"
        with zipfile.ZipFile(shaded) as z:
            poms = {":".join(n.split("/")[2:4]) for n in z.namelist() if n.startswith("META-INF/maven/") and n.endswith("/pom.properties")}
        shaded_rows = [r for r in rows(probe, "java_archive", "opt/shop-1.2.0-all.jar", shaded) if len(r) < 12 or "inner=" not in r[11]]
        check("shaded jar", {(r[2], r[3]) for r in shaded_rows}, {a for a in expected if a[0] in poms})
        declared = {tuple(one.rsplit(":", 1)) for one in DEPENDENCIES} | {("junit:junit", "4.13.2")}
        check("pom.xml", ours(probe, "pom_xml", "pom.xml", f"{d}/pom.xml"), declared)
        with zipfile.ZipFile(war) as z:
            want = {n: hashlib.sha1(z.read(n)).hexdigest() for n in z.namelist() if n.endswith(".jar")}
        got = {w[6:]: s[5:] for r in rows(probe, "java_archive", "x.war", war) for w in r[11].split() if w.startswith("inner=")
               for s in r[11].split() if s.startswith("sha1=")}
        check("SHA-1", got.items(), want.items())
    return 1 if failures else 0


sys.exit(main())
