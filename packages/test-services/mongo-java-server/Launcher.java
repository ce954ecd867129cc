import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import java.util.List;
import org.h2.mvstore.MVStore;

/** Serves MongoDB's wire protocol: {@code java Launcher HOST PORT FILE}, where the file holds the data. */
public final class Launcher {
  /** Milliseconds after which a write is in the file, and so survives a SIGKILL. */
  private static final int COMMIT_DELAY = 200;

  /**
   * What the server says that it is. The newest version that it names itself has wire version 8, which the drivers of
   * today refuse.
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

  public static void main(String[] words) {
    MVStore store = new MVStore.Builder().fileName(words[2]).open();
    store.setAutoCommitDelay(COMMIT_DELAY);
    H2Backend backend = new H2Backend(store);
    backend.version(Announced.FIVE);
    new MongoServer(backend).bind(words[0], Integer.parseInt(words[1]));
  }
}
