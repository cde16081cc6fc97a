using Holdfast.Benchmarks.Measuring;

namespace Holdfast.Benchmarks.Tools;

/// <summary>A program for backups, as its user calls it.</summary>
/// <remarks>A <i>place</i> is a directory of its own for one vault and all that the program keeps beside it.</remarks>
internal abstract class BackupTool
{
    protected const string Password = "correct horse battery staple";

    public abstract string Name { get; }

    public abstract Command Version { get; }

    public static string Repository(string place) => Path.Combine(place, "repository");

    public abstract Command Init(string place);

    public abstract Command Backup(string place, string source, string point);

    /// Restores into an empty directory.
    public abstract Command Restore(string place, string point, string target);

    /// Verifies all that is stored, content included.
    public abstract Command Check(string place);

    /// Verifies what is stored, but for the content of files.
    public abstract Command CheckStructure(string place);

    /// Drops all points but the newest; nothing comes free.
    public abstract Command Forget(string place);

    /// <summary>Frees what no point needs.</summary>
    /// <param name="place">The place.</param>
    /// <param name="maxUnused">How much of what stays may be unused; null for the tool's default.</param>
    public abstract Command Prune(string place, Unused? maxUnused);

    /// Both at once, as users do.
    public abstract Command ForgetAndPrune(string place);

    /// Where in the target the source's root is restored to.
    public virtual string RestoredRoot(string target, string source) => target + source;

    /// A command that leaves nothing behind outside its place.
    protected static Command InPlace(string place, Dictionary<string, string> variables, params string[] words)
    {
        variables["HOME"] = Path.Combine(place, "home");
        return new Command(words) { Variables = variables };
    }
}
