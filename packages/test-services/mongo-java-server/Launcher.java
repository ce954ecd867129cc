import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.bson.Document;
import io.netty.channel.Channel;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.h2.mvstore.MVStore;

/** Serves MongoDB's wire protocol from a file: {@code java Launcher HOST PORT FILE}. */
public final class Launcher {
  /** The commands that change data. */
  private static final Set<String> WRITES = Set.of("insert", "update", "delete", "findandmodify");

  /**
   * The version that the server announces. Its own newest has wire version 8, which current drivers
   * refuse.
   */
  private enum Announced implements MongoVersion {
    FIVE;

    @Override
    public List<Integer> getVersionArray() {
      return List.of(5, 0, 0);
    }

    @Override
    public int getWireVersion() {
      return 13;
    }
  }

  /** Answers a change once it is in the file, so that it survives a SIGKILL. */
  private static final class Durable extends H2Backend {
    Durable(MVStore store) {
      super(store);
    }

    @Override
    public Document handleCommand(Channel channel, String database, String command, Document query) {
      Document answer = super.handleCommand(channel, database, command, query);
      if (WRITES.contains(command.toLowerCase(Locale.ROOT))) commit();
      return answer;
    }
  }

  public static void main(String[] words) {
    MVStore store = new MVStore.Builder().fileName(words[2]).open();
    // Automatic commits run in another thread, so that an answer could be sent before its data is in the file.
    store.setAutoCommitDelay(0);
    H2Backend backend = new Durable(store);
    backend.version(Announced.FIVE);
    new MongoServer(backend).bind(words[0], Integer.parseInt(words[1]));
  }
}
