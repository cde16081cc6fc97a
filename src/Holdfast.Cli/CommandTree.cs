using System.CommandLine;
using System.CommandLine.Help;
using Holdfast.Cli.Commands;

namespace Holdfast.Cli;

/// <summary>All verbs and the flags they share, as one tree that is parsed, explained, completed and printed as manual.</summary>
internal static class CommandTree
{
    public const string VersionFlag = "--version";
    public const string HelpFlag = "--help";

    /// <summary>Paths may begin with @: nothing is replaced by the content of a file.</summary>
    public static ParserConfiguration Parsing { get; } = new() { ResponseFileTokenReplacer = null };

    /// <summary>Builds the tree.</summary>
    public static RootCommand Create(CommonOptions common)
    {
        var root = new RootCommand("keeps data restorable: encrypted, deduplicated backups");
        foreach (Option builtIn in root.Options.ToArray()) root.Options.Remove(builtIn);
        root.Add(new HelpOption(HelpFlag, "-h") { Description = "explain the command" });
        root.Add(new Option<bool>(VersionFlag) { Description = "say the version" });
        foreach (Option option in common.All) root.Add(option);
        ReadOnlySpan<VerbCommand> verbs =
        [
            InitCommand.Create(), BackupCommand.Create(), PointsCommand.Create(), LsCommand.Create(), FindCommand.Create(),
            DiffCommand.Create(), CatCommand.Create(), RestoreCommand.Create(), CheckCommand.Create(), RepairCommand.Create(), StatsCommand.Create(),
            CopyCommand.Create(), ForgetCommand.Create(), PruneCommand.Create(), HoldCommand.CreateHold(), HoldCommand.CreateRelease(), HoldCommand.CreateUndelete(),
            SettingsCommand.Create(), KeyCommand.Create(), ExportCommand.Create(), ImportCommand.Create(), ApplyCommand.Create(), KvCommand.Create(), DbCommand.Create(), VersionCommand.Create(),
            CompletionCommand.Create(), HelpCommand.Create(), ManCommand.Create(),
        ];
        foreach (VerbCommand verb in verbs) root.Add(verb);
        return root;
    }
}
