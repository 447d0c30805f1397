// Lines "A B" or, with "ranges", "VERSION<tab>RANGE" -> what Maven says, one answer a line.
import java.io.BufferedReader;
import java.io.InputStreamReader;
import org.apache.maven.artifact.versioning.ComparableVersion;
import org.apache.maven.artifact.versioning.DefaultArtifactVersion;
import org.apache.maven.artifact.versioning.InvalidVersionSpecificationException;
import org.apache.maven.artifact.versioning.VersionRange;

class Maven {
    static String order(String[] v) {
        int c = new ComparableVersion(v[0]).compareTo(new ComparableVersion(v[1]));
        return c < 0 ? "<" : c > 0 ? ">" : "=";
    }

    static String holds(String[] v) {
        try {
            VersionRange range = VersionRange.createFromVersionSpec(v[1]);
            return range.getRecommendedVersion() != null || range.containsVersion(new DefaultArtifactVersion(v[0])) ? "y" : "n";
        } catch (InvalidVersionSpecificationException e) {
            return "?";
        }
    }

    public static void main(String[] args) throws java.io.IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        StringBuilder out = new StringBuilder();
        boolean ranges = args.length > 0 && args[0].equals("ranges");
        for (String line; (line = in.readLine()) != null;)
            out.append(ranges ? holds(line.split("\t")) : order(line.split(" "))).append('\n');
        System.out.print(out);
    }
}
