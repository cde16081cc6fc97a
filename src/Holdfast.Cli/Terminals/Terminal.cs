namespace Holdfast.Cli.Terminals;

/// <summary>What is known of the terminal that somebody looks at.</summary>
/// <param name="OutputIsTerminal">Standard output goes to one.</param>
/// <param name="ErrorIsTerminal">Standard error goes to one.</param>
/// <param name="Columns">Its width now; asked again at every use because windows are resized.</param>
internal sealed record Terminal(bool OutputIsTerminal, bool ErrorIsTerminal, Func<int> Columns)
{
    private const int DefaultColumns = 80;

    /// <summary>No terminal anywhere: output goes to files and pipes.</summary>
    public static Terminal None { get; } = new(false, false, () => DefaultColumns);

    /// <summary>The terminal of this process.</summary>
    public static Terminal OfProcess()
    {
        bool output = LibC.IsTerminal(DescriptorStream.OutputDescriptor) == 1;
        bool error = LibC.IsTerminal(DescriptorStream.ErrorDescriptor) == 1;
        int descriptor = output ? DescriptorStream.OutputDescriptor : DescriptorStream.ErrorDescriptor;
        return new Terminal(output, error, () => LibC.ColumnsOf(descriptor) is > 0 and int columns ? columns : DefaultColumns);
    }
}
