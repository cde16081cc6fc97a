using System.Globalization;
using System.Text.Json;
using Holdfast.Cli.Output;
using Holdfast.Cli.Values;
using Holdfast.Vault;

namespace Holdfast.Cli.Commands.Prune;

/// <summary>Says what a prune did, or would do.</summary>
internal static class PruneReport
{
    public static void Write(CommandOutput output, PrunePlan plan)
    {
        string about = plan.IsEstimate ? "about " : "";
        output.SummaryLine(Invariant($"would delete {plan.Points:N0} restore points and {plan.UnneededPacks + plan.PendingPacks:N0} packs that nobody needs, {SizeText.Show(plan.UnneededBytes + plan.PendingBytes)}"));
        if (plan.MovedPacks > 0)
        {
            output.SummaryLine(Invariant($"would write {about}{SizeText.Show(plan.MovedBytes)} of {plan.MovedPacks:N0} packs anew, {SizeText.Show(plan.MovedPackBytes)}"));
        }

        output.SummaryLine($"{about}{SizeText.Show(plan.FreedBytes)} would come free; of the {SizeText.Show(plan.KeptBytes)} that stay, {SizeText.Show(plan.UnusedBytes)} would be needed by nobody");
        if (plan.OldPacks > 0) output.SummaryLine(Invariant($"{plan.OldPacks:N0} packs have keys of old key epochs, {SizeText.Show(plan.OldPackBytes)}"));
        if (plan.PointsInWindow > 0) output.SummaryLine(Invariant($"{plan.PointsInWindow:N0} dropped points stay until the undelete window is over"));
        if (plan.Sessions.Count > 0) output.SummaryLine($"at work: {Hosts(plan.Sessions)}; what they may need stays until they are done");
        output.SummaryLine("nothing was changed");
        output.Record("summary", plan, WriteJson);
    }

    public static void Write(CommandOutput output, PruneSummary done)
    {
        output.SummaryLine(Invariant(
            $"deleted {done.Points:N0} restore points and {done.Packs:N0} packs, {SizeText.Show(done.PackBytes)}, in {TimeText.ShowTaken(done.Duration)}"));
        if (done.MovedPacks > 0) output.SummaryLine(Invariant($"wrote {SizeText.Show(done.MovedBytes)} of {done.MovedPacks:N0} packs anew"));
        output.SummaryLine($"of the {SizeText.Show(done.Plan.KeptBytes)} that stay, {SizeText.Show(done.Plan.UnusedBytes)} are needed by nobody");
        if (done.Plan.PointsInWindow > 0) output.SummaryLine(Invariant($"{done.Plan.PointsInWindow:N0} dropped points stay until the undelete window is over"));
        if (done.Plan.OldPacks > 0) output.SummaryLine(Invariant($"{done.Plan.OldPacks:N0} packs had keys of old key epochs, {SizeText.Show(done.Plan.OldPackBytes)}"));
        if (done.WaitingPacks > 0)
        {
            output.SummaryLine(Invariant($"{done.WaitingPacks:N0} packs wait for {(done.WaitsFor.Count > 0 ? Hosts(done.WaitsFor) : "the next prune")}; the next prune deletes them"));
        }

        string? stopped = done.StoppedBy switch
        {
            PruneLimit.Time => "its time was over",
            PruneLimit.Moved => "it had written as much as it may",
            PruneLimit.Requests => "it had made as many requests as it may",
            _ => null,
        };
        if (stopped is not null) output.SummaryLine($"stopped before its end, since {stopped}; the next prune goes on");
        output.Record("summary", done, WriteJson);
    }

    private static string Hosts(IReadOnlyList<WaitedSession> sessions) =>
        string.Join(", ", sessions.Select(static session => $"session {session.Session.ToShortString()}{(session.Host.Length > 0 ? " on " + session.Host : "")}"));

    private static void WriteJson(Utf8JsonWriter writer, PrunePlan plan)
    {
        writer.WriteBoolean("dryRun", true);
        WritePlan(writer, plan);
        WriteSessions(writer, "sessions", plan.Sessions);
    }

    private static void WriteJson(Utf8JsonWriter writer, PruneSummary done)
    {
        writer.WriteBoolean("dryRun", false);
        WritePlan(writer, done.Plan);
        writer.WriteNumber("pointsDeleted", done.Points);
        writer.WriteNumber("packsDeleted", done.Packs);
        writer.WriteNumber("bytesDeleted", done.PackBytes);
        writer.WriteNumber("packsMoved", done.MovedPacks);
        writer.WriteNumber("bytesWritten", done.MovedBytes);
        writer.WriteNumber("packsWaiting", done.WaitingPacks);
        WriteSessions(writer, "waitsFor", done.WaitsFor);
        writer.WriteString("stoppedBy", done.StoppedBy switch
        {
            PruneLimit.Time => "time",
            PruneLimit.Moved => "moved",
            PruneLimit.Requests => "requests",
            _ => null,
        });
        writer.WriteNumber("seconds", Math.Round(done.Duration.TotalSeconds, 3));
    }

    private static void WritePlan(Utf8JsonWriter writer, PrunePlan plan)
    {
        writer.WriteNumber("points", plan.Points);
        writer.WriteNumber("pointsInWindow", plan.PointsInWindow);
        writer.WriteNumber("packsUnneeded", plan.UnneededPacks);
        writer.WriteNumber("bytesUnneeded", plan.UnneededBytes);
        writer.WriteNumber("packsPending", plan.PendingPacks);
        writer.WriteNumber("bytesPending", plan.PendingBytes);
        writer.WriteNumber("packsInPart", plan.MovedPacks);
        writer.WriteNumber("bytesInPart", plan.MovedPackBytes);
        writer.WriteNumber("bytesToWrite", plan.MovedBytes);
        writer.WriteNumber("bytesFreed", plan.FreedBytes);
        writer.WriteNumber("packsOldKeys", plan.OldPacks);
        writer.WriteNumber("bytesOldKeys", plan.OldPackBytes);
        writer.WriteNumber("bytesKept", plan.KeptBytes);
        writer.WriteNumber("bytesUnused", plan.UnusedBytes);
        writer.WriteBoolean("isEstimate", plan.IsEstimate);
    }

    private static void WriteSessions(Utf8JsonWriter writer, string name, IReadOnlyList<WaitedSession> sessions)
    {
        writer.WriteStartArray(name);
        foreach (WaitedSession session in sessions)
        {
            writer.WriteStartObject();
            writer.WriteString("session", session.Session.ToString());
            writer.WriteString("host", session.Host);
            writer.WriteString("lastSeen", TimeText.ShowExact(session.LastSeen));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
