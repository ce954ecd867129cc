import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.Utils;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.bson.Document;
import io.netty.channel.Channel;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.h2.mvstore.MVStore;

/** Serves MongoDB's wire protocol from a file: {@code java Launcher HOST PORT FILE}. */
public final class Launcher {
  /** Milliseconds until a write is in the file and survives a SIGKILL. */
  private static final int COMMIT_DELAY = 200;

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

  /** Supports MongoDB's command {@code fsync}, which writes everything to the file. */
  private static final class Durable extends H2Backend {
    Durable(MVStore store) {
      super(store);
    }

    @Override
    public Document handleCommand(Channel channel, String database, String command, Document query) {
      if (!command.equalsIgnoreCase("fsync")) return super.handleCommand(channel, database, command, query);
      commit();
      Document answer = new Document();
      Utils.markOkay(answer);
      return answer;
    }
  }

  public static void main(String[] words) {
    MVStore store = new MVStore.Builder().fileName(words[2]).open();
    // Automatic commits run in another thread, so that a commit could return before its data is in the file.
    store.setAutoCommitDelay(0);
    H2Backend backend = new Durable(store);
    backend.version(Announced.FIVE);
    new MongoServer(backend).bind(words[0], Integer.parseInt(words[1]));
    Executors.newSingleThreadScheduledExecutor()
        .scheduleWithFixedDelay(backend::commit, COMMIT_DELAY, COMMIT_DELAY, TimeUnit.MILLISECONDS);
  }
}
