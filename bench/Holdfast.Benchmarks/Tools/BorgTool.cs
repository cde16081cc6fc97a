using Holdfast.Benchmarks.Measuring;
using static System.FormattableString;

namespace Holdfast.Benchmarks.Tools;

/// borg with repokey encryption and zstd,3; else its default settings.
internal sealed class BorgTool : BackupTool
{
    public const string ToolName = "borg";

    public override string Name => ToolName;

    public override Command Version => new(["borg", "--version"]);

    public override Command Init(string place) => Call(place, "init", "--encryption", "repokey");

    public override Command Backup(string place, string source, string point) =>
        Call(place, "create", "--compression", "zstd,3", $"::{point}", source);

    public override Command Restore(string place, string point, string target) => Call(place, "extract", $"::{point}") with { Directory = target };

    public override Command Check(string place) => Call(place, "check", "--verify-data");

    public override Command CheckStructure(string place) => Call(place, "check");

    public override Command Forget(string place) => Call(place, "prune", "--keep-last", "1");

    // Of each segment so much may be unused; of all together it has no limit.
    public override Command Prune(string place, Unused? maxUnused) =>
        maxUnused is { } most ? Call(place, "compact", "--threshold", Invariant($"{most.Percent:F0}")) : Call(place, "compact");

    public override Command ForgetAndPrune(string place) =>
        Call(place, "prune", "--keep-last", "1") with { Words = ["/bin/sh", "-c", "borg prune --keep-last 1 && borg compact"] };

    private static Command Call(string place, params string[] words) => InPlace(
        place,
        new() { ["BORG_REPO"] = Repository(place), ["BORG_PASSPHRASE"] = Password, ["BORG_BASE_DIR"] = Path.Combine(place, "base") },
        ["borg", .. words]);
}
