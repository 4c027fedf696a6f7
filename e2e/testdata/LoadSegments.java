import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.time.Instant;

/** Inserts segment descriptors, one JSON object a line, into a Druid metadata store: JDBC-URI FILE. */
public class LoadSegments
{
  public static void main(String[] args) throws Exception
  {
    ObjectMapper json = new ObjectMapper();
    String now = Instant.now().toString();
    try (var db = DriverManager.getConnection(args[0]);
         var row = db.prepareStatement(
             "INSERT INTO druid_segments (id, dataSource, created_date, start, \"end\", partitioned, version, used, payload,"
             + " used_status_last_updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
      db.setAutoCommit(false);
      for (String line : Files.readAllLines(Path.of(args[1]))) {
        ObjectNode segment = (ObjectNode) json.readTree(line);
        String source = segment.get("dataSource").asText(), version = segment.get("version").asText();
        String[] interval = segment.get("interval").asText().split("/");
        int partition = segment.get("shardSpec").path("partitionNum").asInt();
        String id = String.join("_", source, interval[0], interval[1], version) + (partition == 0 ? "" : "_" + partition);
        segment.put("identifier", id);
        Object[] values = {id, source, now, interval[0], interval[1], true, version, true, json.writeValueAsBytes(segment), now};
        for (int i = 0; i < values.length; i++) {
          row.setObject(i + 1, values[i]);
        }
        row.executeUpdate();
      }
      db.commit();
    }
  }
}
