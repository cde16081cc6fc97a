using System.Runtime.CompilerServices;
using System.Text;
using Holdfast.Erasure.Coding;

namespace Holdfast.Erasure.Tests.Documents;

/// The worked example of docs/formats/erasure.md is what the code computes, byte by byte.
public sealed class FormatDocumentTests
{
    private const int DataShards = 4, ParityShards = 2, Length = 4;
    private static readonly int[] Lost = [1, 2];
    private static readonly int[] Present = [0, 3, 4, 5];

    [Fact]
    public void TheWorkedExampleIsWhatIsComputed()
    {
        byte[] data = "Holdfast keeps 1"u8.ToArray(), parity = new byte[ParityShards * Length];
        ReedSolomon code = ReedSolomon.Create(DataShards, ParityShards);
        code.Encode(data, parity);
        byte[] whole = [.. data, .. parity], damaged = [.. whole];
        foreach (int lost in Lost) damaged.AsSpan(lost * Length, Length).Clear();
        Recovery recovery = code.PlanRecovery(Present, Lost);
        recovery.Recover(damaged);
        Assert.Equal(whole, damaged);

        byte[] generator = CauchyMatrix.Rows(DataShards, ParityShards);
        byte[] rows = RecoveryMatrix.Rows(DataShards, recovery.Sources, recovery.Targets);
        var example = new StringBuilder("```\n");
        for (int i = 0; i < ParityShards; i++)
        {
            example.Append(Line("row", DataShards + i, generator.Chunk(DataShards).ElementAt(i)));
        }

        for (int i = 0; i < code.TotalShards; i++) example.Append(Line("shard", i, whole.Chunk(Length).ElementAt(i)));
        for (int i = 0; i < Lost.Length; i++) example.Append(Line("lost", Lost[i], rows.Chunk(DataShards).ElementAt(i)));
        example.Append("```\n");

        string document = File.ReadAllText(PathOfDocument()).ReplaceLineEndings("\n");
        bool isThere = document.Contains(example.ToString(), StringComparison.Ordinal);
        Assert.True(isThere, $"the document should have:\n{example}");
    }

    private static string Line(string name, int number, byte[] bytes)
    {
        var line = new StringBuilder($"{name} {number}".PadRight(8));
        foreach (byte value in bytes) line.Append(' ').Append(Convert.ToHexStringLower([value]));
        return line.Append('\n').ToString();
    }

    private static string PathOfDocument([CallerFilePath] string source = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(source)!, "../../../docs/formats/erasure.md"));
}
