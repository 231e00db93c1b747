package penstock.clients;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.LinkedHashMap;
import java.util.Map;

/** Lines of JSON on standard output, each whole whatever threads tell. */
final class Telling {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Telling() {}

  /** Tells an event, and of it these names and values in turn. */
  static void tell(String event, Object... namesAndValues) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("event", event);
    for (int each = 0; each < namesAndValues.length; each += 2) {
      line.put((String) namesAndValues[each], namesAndValues[each + 1]);
    }
    try {
      String text = JSON.writeValueAsString(line);
      synchronized (JSON) {
        System.out.println(text);
        System.out.flush();
      }
    } catch (JsonProcessingException wrong) {
      throw new IllegalArgumentException(wrong);
    }
  }
}
