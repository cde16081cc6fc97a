using Holdfast.Cli.Commands.Kv;

namespace Holdfast.Cli.Commands;

/// <summary><c>holdfast kv</c>: key-value stores, for people and scripts.</summary>
internal static class KvCommand
{
    public static VerbCommand Create() => new VerbCommand("kv", "look into and look after key-value stores")
    {
        Synopsis = "get|put|delete|scan|stats|merge|verify|checkpoint|backup|bench",
        Needs = Needs.None,
        Details =
        [
            "A store is a directory that one process at a time writes to. get, scan, stats and verify read it as it was when " +
            "they began, also while another process writes; the others need it for themselves (exit code 11 names who has it). " +
            "Keys and values are bytes.",
        ],
        Examples =
        [
            new("holdfast kv put /srv/sessions user/17 hello", "set a key; makes the store if there is none"),
            new("holdfast kv get /srv/sessions user/17", "its value, on standard output"),
            new("holdfast kv scan /srv/sessions --prefix user/", "keys and values, in order"),
            new("holdfast kv checkpoint /srv/sessions /srv/sessions.copy", "a copy that costs hardly any space"),
        ],
    }.With(
        KvGetCommand.Create(), KvPutCommand.Create(), KvDeleteCommand.Create(), KvScanCommand.Create(), KvStatsCommand.Create(),
        KvMergeCommand.Create(), KvVerifyCommand.Create(), KvCheckpointCommand.Create(), KvBackupCommand.Create(),
        KvBenchCommand.Create());
}
